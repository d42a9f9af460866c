package eventlog

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"btda/events"
)

// filledBlocks returns n blocks of 1,000 events each.
func filledBlocks(b *testing.B, n int) []*block {
	all := newSwarm(1).events(n * 1000)
	var encoder events.Encoder
	blocks := make([]*block, n)
	for i := range blocks {
		blocks[i] = new(block)
		blocks[i].reset(512 << 10)
		for j, e := range all[i*1000 : (i+1)*1000] {
			if err := blocks[i].append(&encoder, events.Seq(j+1), events.Time(j*1000), e); err != nil {
				b.Fatal(err)
			}
		}
	}
	return blocks
}

const appendedBlocks = 1000

// plainAppend writes blocks to the end of a growing file, and syncs after every few.
func plainAppend(b *testing.B, blocks []*block, every int) float64 {
	f := tempFile(b)
	began := time.Now()
	for i := range appendedBlocks {
		_, err := f.Write(blocks[i%len(blocks)].buf)
		if (i+1)%every == 0 && err == nil {
			err = f.Sync()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	elapsed := time.Since(began)
	removeFile(f)
	return millionsPerSecond(appendedBlocks*1000, elapsed)
}

// logAppend commits blocks as the writer of a log does, and syncs after every few.
func logAppend(b *testing.B, blocks []*block, every int) float64 {
	l, w := idleLog(b)
	warmUp(b, w, blocks)
	began := time.Now()
	for i := range appendedBlocks {
		if err := w.write(again(w, blocks[i%len(blocks)]), (i+1)%every == 0); err != nil {
			b.Fatal(err)
		}
	}
	w.acks.finish()
	elapsed := time.Since(began)
	if l.Durable() != w.last {
		b.Fatal("not all is durable")
	}
	closeIdle(b, l)
	return millionsPerSecond(appendedBlocks*1000, elapsed)
}

// again makes a block the next one of the log. The bytes are shared.
func again(w *writer, b *block) *block {
	next := *b
	next.first, next.copies, next.began = w.last+1, nil, time.Now()
	return &next
}

// idleLog returns a log with a writer that the caller runs.
func idleLog(b *testing.B) (*Log, *writer) {
	l, err := newLog(filepath.Join(tempDir(b), "log"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	return l, newWriter(l)
}

// warmUp writes as much as a log writes before it uses the space of its old write-ahead logs again.
func warmUp(b *testing.B, w *writer, blocks []*block) {
	for i := range appendedBlocks {
		if err := w.write(again(w, blocks[i%len(blocks)]), i%10 == 9); err != nil {
			b.Fatal(err)
		}
	}
}

func closeIdle(b *testing.B, l *Log) {
	if err := l.store.release(); err != nil {
		b.Fatal(err)
	}
	os.RemoveAll(filepath.Dir(l.dir))
}

func millionsPerSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() / 1e6 }

func tempDir(b *testing.B) string {
	dir, err := os.MkdirTemp("", "btda-bounds-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func tempFile(b *testing.B) *os.File {
	f, err := os.Create(filepath.Join(tempDir(b), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func removeFile(f *os.File) {
	f.Close()
	os.RemoveAll(filepath.Dir(f.Name()))
}

// plainLog is the simplest log there is: a buffer behind a mutex, written and synced after 10,000 events by whoever
// appends the last of them.
type plainLog struct {
	mu    sync.Mutex
	file  *os.File
	enc   events.Encoder
	block block
}

func newPlainLog(b *testing.B) *plainLog {
	p := &plainLog{file: tempFile(b)}
	p.block.reset(2 << 20)
	return p
}

func (p *plainLog) Append(_ context.Context, at events.Time, e events.Event) (events.Seq, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.block.append(&p.enc, 1, at, e); err != nil {
		return 0, err
	}
	if p.block.count < 10000 {
		return 0, nil
	}
	_, err := p.file.Write(p.block.buf)
	p.block.reset(2 << 20)
	if err == nil {
		err = p.file.Sync()
	}
	return 0, err
}

type appender interface {
	Append(ctx context.Context, at events.Time, e events.Event) (events.Seq, error)
}

const producers, produced = 64, 15000

// produce lets many goroutines append, each its own events.
func produce(b *testing.B, to appender) time.Duration {
	all := newSwarm(2).events(produced)
	began := time.Now()
	var group sync.WaitGroup
	for range producers {
		group.Go(func() {
			for i, e := range all {
				if _, err := to.Append(b.Context(), events.Time(i*1000), e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(began)
}

func plainProduce(b *testing.B) float64 {
	p := newPlainLog(b)
	elapsed := produce(b, p)
	removeFile(p.file)
	return millionsPerSecond(producers*produced, elapsed)
}

func logProduce(b *testing.B) float64 {
	l, err := Create(filepath.Join(tempDir(b), "log"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := l.Append(b.Context(), 0, &events.RunStarted{}); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	produce(b, l)
	if err := l.WaitDurable(b.Context(), l.Appended()); err != nil {
		b.Fatal(err)
	}
	elapsed := time.Since(began)
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	os.RemoveAll(filepath.Dir(l.dir))
	return millionsPerSecond(producers*produced, elapsed)
}

// plainLatencies writes and syncs 10,000 events every 100 ms, and returns how long each took.
func plainLatencies(b *testing.B, blocks []*block) []float64 {
	f := tempFile(b)
	defer removeFile(f)
	var all []float64
	for range everyTenth(b) {
		began := time.Now()
		for i := range 10 {
			if _, err := f.Write(blocks[i%len(blocks)].buf); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		all = append(all, milliseconds(began))
	}
	return all
}

// logLatencies does the same in a log.
func logLatencies(b *testing.B, blocks []*block) []float64 {
	l, w := idleLog(b)
	defer closeIdle(b, l)
	defer w.acks.finish()
	warmUp(b, w, blocks)
	var all []float64
	for range everyTenth(b) {
		began := time.Now()
		for i := range 10 {
			if err := w.write(again(w, blocks[i%len(blocks)]), i == 9); err != nil {
				b.Fatal(err)
			}
		}
		if err := l.WaitDurable(b.Context(), w.last); err != nil {
			b.Fatal(err)
		}
		all = append(all, milliseconds(began))
	}
	return all
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since)) / 1e6 }

const commitsPerRun = 40

// everyTenth ticks every 100 ms.
func everyTenth(b *testing.B) func(func(int) bool) {
	return func(yield func(int) bool) {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for i := range commitsPerRun {
			select {
			case <-ticker.C:
			case <-b.Context().Done():
				return
			}
			if !yield(i) {
				return
			}
		}
	}
}

// latencies compares group commits of 10,000 events.
func latencies(b *testing.B, blocks []*block) []bound {
	var plain, log []float64
	for range boundRuns {
		plain = append(plain, plainLatencies(b, blocks)...)
		log = append(log, logLatencies(b, blocks)...)
	}
	row := func(what string, q, goal float64) bound {
		return bound{what: what, unit: "ms", goal: goal, atMost: true, values: [2]float64{quantile(plain, q), quantile(log, q)}}
	}
	return []bound{
		row("group commit at 100,000 events/s, p50", 0.5, 1.5),
		row("group commit at 100,000 events/s, p99", 0.99, 2),
	}
}

// folderSize sums the sizes of the files of a folder.
func folderSize(b *testing.B, dir string) (size int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}
