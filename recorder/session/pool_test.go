package session

import (
	"testing"
	"time"

	"btda/events"
)

// magnets are many torrents whose metadata is fetched at one time, each from one peer.
func magnets(pool *MetadataPool, count int, size uint64) (all []*Metadata, givers []*giver) {
	for i := range count {
		m := NewMetadata(MetadataOptions{MaxSize: 32 << 20, Pool: pool})
		g := &giver{source: source{session: events.SessionNumber(i + 1)}}
		m.offer(g, size)
		all, givers = append(all, m), append(givers, g)
	}
	return all, givers
}

// asked counts the torrents for which pieces are asked.
func asked(all []*Metadata, givers []*giver, now events.Time) (count int) {
	for i, m := range all {
		if pieces, _ := m.next(givers[i], now); len(pieces) > 0 {
			count++
		}
	}
	return count
}

// However many peers claim metadata of the greatest size, the memory for it is bounded, and metadata of a usual size is asked for all the
// same. Who gives nothing makes place for others.
func TestMetadataMemoryIsBounded(t *testing.T) {
	pool := NewMetadataPool(32 << 20)
	large, givers := magnets(pool, 100, 32<<20)
	now := events.Time(1)
	if n := asked(large, givers, now); n != 2 || pool.large.free != 0 {
		t.Errorf("%d of 32 MiB are asked for at one time, %d bytes are free, want 2 and none", n, pool.large.free)
	}
	small, others := magnets(pool, 1000, 100<<10)
	if n := asked(small, others, now); n != smallShare/(100<<10) {
		t.Errorf("%d of 100 KiB are asked for, want %d", n, smallShare/(100<<10))
	}
	now = now.Add(stallTime)
	if n := asked(large[2:], givers[2:], now); n != 2 {
		t.Errorf("%d are asked for after others have stalled, want 2", n)
	}
	for i, m := range append(large, small...) {
		m.leave(append(givers, others...)[i])
	}
	if pool.large.free != 64<<20 || pool.small.free != smallShare || len(pool.large.held)+len(pool.small.held) != 0 {
		// Assemblies that any peer may give pieces to stay, until others need their place.
		dropStalled(pool, now.Add(time.Hour))
	}
	if pool.large.free != 64<<20 || pool.small.free != smallShare {
		t.Errorf("%d and %d bytes are free at the end", pool.large.free, pool.small.free)
	}
}

func dropStalled(pool *MetadataPool, now events.Time) {
	for _, s := range []*share{&pool.large, &pool.small} {
		for a := range s.held {
			if a.mayGo(now) {
				a.giveWay(now)
			}
		}
	}
}

// A liar that claims many sizes takes a bounded number of places, and gives them up.
func TestAssembliesOfATorrentAreBounded(t *testing.T) {
	m := NewMetadata(MetadataOptions{MaxSize: 32 << 20, Pool: NewMetadataPool(32 << 20)})
	now := events.Time(1)
	for i := range uint64(100) {
		g := &giver{source: source{session: events.SessionNumber(i + 1)}}
		m.offer(g, 1000+i)
		m.next(g, now)
	}
	if len(m.assemblies) != maxAssemblies {
		t.Errorf("%d assemblies, want %d", len(m.assemblies), maxAssemblies)
	}
	honest := &giver{source: source{session: 1000}}
	m.offer(honest, 5000)
	if pieces, _ := m.next(honest, now.Add(stallTime)); len(pieces) != 1 {
		t.Errorf("asked for %v, want the one piece", pieces)
	}
}
