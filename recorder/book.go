package recorder

import (
	"sync/atomic"

	"btda/events"
	"btda/recorder/session"
)

// book is what is known of the torrents of a run. Which they are is fixed; metadata that is fetched adds to what is known of them. It is
// safe for use by many goroutines. A nil book knows none.
type book struct {
	numbers map[events.InfoHash]events.TorrentNumber
	pages   map[events.TorrentNumber]*atomic.Pointer[page]
}

// page is what is known of one torrent.
type page struct {
	session.Torrent
	metadata events.Metadata // zero while it is not known
	name     string          // to show
}

func newBook() *book {
	return &book{numbers: make(map[events.InfoHash]events.TorrentNumber), pages: make(map[events.TorrentNumber]*atomic.Pointer[page])}
}

// add takes in a torrent, before the book is used.
func (b *book) add(p page) {
	b.numbers[p.InfoHash] = p.Number
	b.pages[p.Number] = new(atomic.Pointer[page])
	b.set(p)
}

// set replaces what is known of a torrent.
func (b *book) set(p page) { b.pages[p.Number].Store(&p) }

// of gives what is known of a torrent: nothing of one that is not in the book.
func (b *book) of(number events.TorrentNumber) page {
	if b == nil || b.pages[number] == nil {
		return page{}
	}
	return *b.pages[number].Load()
}

// byHash gives what sessions need to know of a torrent, if it is observed.
func (b *book) byHash(hash events.InfoHash) (session.Torrent, bool) {
	number, observed := b.numbers[hash]
	return b.of(number).Torrent, observed
}

// private reports whether a torrent is known to be private (BEP 27): its peers come from its trackers only. That of a magnet link may turn
// out to be so when its metadata is known.
func (b *book) private(number events.TorrentNumber) bool { return b.of(number).Private }
