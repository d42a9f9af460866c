package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sort"

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
}

// logs are the logs of a replay, one for each run, in the order of the time of their first record, then run id.
type logs []log

// openLogs opens the logs at some paths, one for each run.
func openLogs(paths []string) (logs, []Duplicate, error) {
	opened, repeated, err := openFolders(slices.Sorted(slices.Values(paths)))
	if err != nil {
		return nil, nil, errors.Join(err, opened.close())
	}
	slices.SortStableFunc(opened, func(a, b log) int {
		return cmp.Or(cmp.Compare(a.start, b.start), a.compareRun(b))
	})
	kept, duplicates, err := opened.distinct()
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
	definitions := reader.Definitions()
	if definitions.Next() {
		return log{path: path, reader: reader, start: definitions.Record().Time}, definitions.Close()
	}
	err = definitions.Err()
	if err == nil {
		err = errors.New("it holds no event")
	}
	return log{}, errors.Join(err, definitions.Close(), reader.Close())
}

func (l log) compareRun(m log) int {
	a, b := l.reader.Run(), m.reader.Run()
	return bytes.Compare(a[:], b[:])
}

// distinct keeps the longest log of each run and closes the others. Of equally long ones it keeps a sealed one, which proves
// its end, and else the one whose path comes first.
func (all logs) distinct() (kept logs, duplicates []Duplicate, err error) {
	for _, l := range all {
		n := len(kept)
		if n == 0 || kept[n-1].compareRun(l) != 0 {
			kept = append(kept, l)
			continue
		}
		if better, betterErr := l.betterThan(kept[n-1]); betterErr != nil {
			err = errors.Join(err, betterErr)
		} else if better {
			kept[n-1], l = l, kept[n-1]
		}
		duplicates = append(duplicates, Duplicate{Path: l.path, Run: l.reader.Run()})
		err = errors.Join(err, l.reader.Close())
	}
	if err != nil {
		return nil, nil, errors.Join(err, kept.close())
	}
	return kept, duplicates, nil
}

// betterThan reports whether a log of the same run holds more, or holds as much and proves it.
func (l log) betterThan(m log) (bool, error) {
	last, err := l.last()
	if err != nil {
		return false, err
	}
	other, err := m.last()
	return last > other || last == other && l.sealed() && !m.sealed(), err
}

func (l log) sealed() bool {
	_, sealed := l.reader.Sealed()
	return sealed
}

// last finds the sequence number of the last record.
func (l log) last() (events.Seq, error) {
	if seal, ok := l.reader.Sealed(); ok {
		return seal.Last, nil
	}
	var failed error
	n := sort.Search(math.MaxInt64, func(n int) bool {
		s := l.reader.Scan(events.Seq(n) + 1)
		found := s.Next()
		failed = errors.Join(failed, s.Err(), s.Close())
		return !found
	})
	return events.Seq(n), failed
}

// scan starts a merge of what the logs hold: all records, or the run and torrent records only. The caller closes
// the scanners.
func (all logs) scan(open func(*eventlog.Reader) *eventlog.Scanner) (*merger, []*eventlog.Scanner) {
	var opened []*eventlog.Scanner
	var sources []scanner
	for _, l := range all {
		s := open(l.reader)
		opened = append(opened, s)
		sources = append(sources, s)
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
