package replay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"btda/events"
	"btda/events/eventlog"
)

// Duplicate is a log of a run that another log holds too. It was not counted.
type Duplicate struct {
	Path string
	Run  events.RunID
}

// log is one log, opened for reading.
type log struct {
	path   string
	folder os.FileInfo
	reader *eventlog.Reader
	start  events.Time // of its first record
	last   events.Seq  // the number of its last record
	until  events.Seq  // the last record that counts, which may be beyond the end
}

// logs are the logs of a replay, one for each run, in the order of the time of their first record, then run id.
type logs []log

// openLogs opens the logs at some paths, one for each run. All of what they hold counts.
func openLogs(ctx context.Context, paths []string) (logs, []Duplicate, error) {
	opened, repeated, err := openFolders(slices.Sorted(slices.Values(paths)))
	if err != nil {
		return nil, nil, errors.Join(err, opened.close())
	}
	slices.SortStableFunc(opened, log.compareRun)
	kept, duplicates, err := opened.distinct(ctx)
	slices.SortFunc(kept, func(a, b log) int { return cmp.Or(cmp.Compare(a.start, b.start), a.compareRun(b)) })
	return kept, append(repeated, duplicates...), err
}

// openFolders opens each folder once, for a log that is open cannot be opened again. Beside an error it gives those
// that were opened before.
func openFolders(paths []string) (opened logs, repeated []Duplicate, err error) {
	for _, path := range paths {
		folder, err := os.Stat(path)
		if err != nil {
			return opened, nil, fmt.Errorf("cannot replay %s: %w", path, err)
		}
		if i := slices.IndexFunc(opened, func(l log) bool { return os.SameFile(l.folder, folder) }); i >= 0 {
			repeated = append(repeated, Duplicate{Path: path, Run: opened[i].reader.Run()})
			continue
		}
		l, err := openLog(path)
		if err != nil {
			return opened, nil, fmt.Errorf("cannot replay %s: %w", path, err)
		}
		l.folder = folder
		opened = append(opened, l)
	}
	return opened, repeated, nil
}

func openLog(path string) (log, error) {
	reader, err := eventlog.Open(path, eventlog.Options{})
	if err != nil {
		return log{}, err
	}
	l := log{path: path, reader: reader}
	if err := l.look(); err != nil {
		return log{}, errors.Join(err, reader.Close())
	}
	return l, nil
}

// look finds where a log begins and ends.
func (l *log) look() error {
	definitions := l.reader.Definitions()
	if definitions.Next() {
		l.start = definitions.Record().Time
	}
	if err := errors.Join(definitions.Err(), definitions.Close()); err != nil {
		return err
	}
	var err error
	if l.last, err = l.reader.Last(); err == nil && l.last == 0 {
		err = errors.New("it holds no event")
	}
	return err
}

func (l log) compareRun(m log) int {
	a, b := l.reader.Run(), m.reader.Run()
	return bytes.Compare(a[:], b[:])
}

// distinct keeps the longest log of each run and closes the others. Of equally long ones it keeps a sealed one, which proves
// its end, and else the one whose path comes first. A shorter one must be the beginning of the longer.
func (all logs) distinct(ctx context.Context) (kept logs, duplicates []Duplicate, err error) {
	for _, l := range all {
		n := len(kept)
		if n == 0 || kept[n-1].compareRun(l) != 0 {
			kept = append(kept, l)
			continue
		}
		if l.betterThan(kept[n-1]) {
			kept[n-1], l = l, kept[n-1]
		}
		duplicates = append(duplicates, Duplicate{Path: l.path, Run: l.reader.Run()})
		err = errors.Join(err, l.begins(ctx, kept[n-1]), l.reader.Close())
	}
	if err != nil {
		return nil, nil, errors.Join(err, kept.close())
	}
	return kept, duplicates, nil
}

// betterThan reports whether a log of the same run holds more, or holds as much and proves it.
func (l log) betterThan(m log) bool {
	return l.last > m.last || l.last == m.last && l.sealed() && !m.sealed()
}

func (l log) sealed() bool {
	_, sealed := l.reader.Sealed()
	return sealed
}

// ending says how what counts of the log ends.
func (l log) ending() Ending {
	switch {
	case l.until < l.last:
		return Cut
	case l.sealed():
		return Sealed
	}
	return Open
}

// begins makes sure that a longer log of the same run begins with what this one holds.
func (l log) begins(ctx context.Context, longer log) error {
	part, err := l.digest(ctx, l.last)
	if err != nil {
		return err
	}
	whole, err := longer.digest(ctx, l.last)
	if err == nil && part != whole {
		err = fmt.Errorf("the logs %s and %s are of one run, %v, but their first %d events differ: one of them was damaged or changed, see btda verify",
			l.path, longer.path, l.reader.Run(), l.last)
	}
	return err
}

// digest gives the content digest of the first records.
func (l log) digest(ctx context.Context, count events.Seq) (sum [32]byte, err error) {
	s := l.reader.Scan(1)
	for n := events.Seq(0); n < count && s.Next(); n++ {
		if n%recordsPerCheck == 0 && ctx.Err() != nil {
			return sum, errors.Join(context.Cause(ctx), s.Close())
		}
	}
	return s.Digest(), errors.Join(s.Err(), s.Close())
}

// scan starts a merge of what counts of the logs: all records, or the run and torrent records only. The caller closes
// the scanners.
func (all logs) scan(open func(*eventlog.Reader) *eventlog.Scanner) (*merger, []*eventlog.Scanner) {
	var opened []*eventlog.Scanner
	var sources []scanner
	for _, l := range all {
		s := open(l.reader)
		opened = append(opened, s)
		sources = append(sources, &bounded{scanner: s, until: l.until})
	}
	return newMerger(sources), opened
}

func closeScanners(scanners []*eventlog.Scanner) error {
	var err error
	for _, s := range scanners {
		err = errors.Join(err, s.Close())
	}
	return err
}

func (all logs) close() error {
	var err error
	for _, l := range all {
		err = errors.Join(err, l.reader.Close())
	}
	return err
}
