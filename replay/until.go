package replay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"btda/events"
)

// Until says where a replay stops, as if the logs ended there. The zero Until is their end. Where several bounds hold for a run, the
// first one counts.
type Until struct {
	// Time is the last moment that counts, 0 for no bound. A run stops before its first record that is later; runs that began later
	// are left out.
	Time events.Time
	// Stops are the last records that count. Runs without one go on.
	Stops []Stop
}

// Stop is the last record of a run that counts.
type Stop struct {
	Run  string     // the id in hexadecimal digits, or the first of them; empty where there is one run only
	Last events.Seq // from 1
}

// stopText is RUN:SEQ, or SEQ alone.
var stopText = regexp.MustCompile(`^(?:([0-9a-fA-F]{1,32}):)?([0-9]+)$`)

// ParseUntil reads bounds: each is a time (see ParseTime), the number of a record, or a run and a number as in 0636:17.
func ParseUntil(bounds ...string) (Until, error) {
	var u Until
	for _, text := range bounds {
		if parts := stopText.FindStringSubmatch(text); parts != nil {
			last, err := strconv.ParseUint(parts[2], 10, 64)
			if err != nil || last == 0 {
				return Until{}, fmt.Errorf("%s: records are numbered from 1", text)
			}
			u.Stops = append(u.Stops, Stop{Run: strings.ToLower(parts[1]), Last: events.Seq(last)})
			continue
		}
		at, err := ParseTime(text)
		switch {
		case err != nil:
			return Until{}, fmt.Errorf("%w, the number of a record, or a run and a number as in 0636:17", err)
		case u.Time != 0:
			return Until{}, fmt.Errorf("%s: a time was given before", text)
		}
		u.Time = at
	}
	return u, nil
}

// timeForms are the forms of a time, from the most exact. A time without a zone is UTC.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly}

// ParseTime reads a time such as 2026-01-31T12:00:00Z, 2026-01-31 12:00:00, 2026-01-31 12:00 or 2026-01-31; without a zone it is UTC.
func ParseTime(text string) (events.Time, error) {
	for _, form := range timeForms {
		if at, err := time.Parse(form, text); err == nil {
			if at.Year() < 1971 || at.Year() > 2261 {
				return 0, fmt.Errorf("%s: no recording is of that year", text)
			}
			return events.TimeOf(at), nil
		}
	}
	return 0, fmt.Errorf("%q: want a time such as 2026-01-31T12:00:00Z or 2026-01-31", text)
}

// stop sets the bounds of the logs. Those of which nothing counts are closed and given apart, by their paths.
func (all logs) stop(ctx context.Context, u *Until) (kept logs, later []string, err error) {
	for i := range all {
		all[i].until = math.MaxUint64
	}
	if err := all.stopAt(u.Stops); err != nil {
		return nil, nil, err
	}
	for _, l := range all {
		if u.Time != 0 {
			last, err := l.lastUntil(ctx, u.Time)
			if err != nil {
				return nil, nil, err
			}
			l.until = min(l.until, last)
		}
		if l.until > 0 {
			kept = append(kept, l)
			continue
		}
		later = append(later, l.path)
		if err := l.reader.Close(); err != nil {
			return nil, nil, err
		}
	}
	if len(kept) == 0 {
		return nil, nil, fmt.Errorf("nothing was recorded until %v: the first log begins at %v", u.Time, all[0].start)
	}
	return kept, later, nil
}

// stopAt sets the bounds that name records.
func (all logs) stopAt(stops []Stop) error {
	for _, stop := range stops {
		i, err := all.named(stop)
		if err != nil {
			return err
		}
		all[i].until = min(all[i].until, stop.Last)
	}
	return nil
}

// named finds the log of the run that a stop names.
func (all logs) named(stop Stop) (int, error) {
	var runs []string
	found := -1
	for i, l := range all {
		run := l.reader.Run().String()
		runs = append(runs, run)
		if !strings.HasPrefix(run, stop.Run) {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("until %s: %q may mean several runs, give more of the run id as in %s:%d", stop, stop.Run, run, stop.Last)
		}
		found = i
	}
	if found < 0 {
		return 0, fmt.Errorf("until %s: no log is of that run, but of %s", stop, strings.Join(runs, ", "))
	}
	return found, nil
}

// String gives the text that ParseUntil reads.
func (s Stop) String() string {
	number := strconv.FormatUint(uint64(s.Last), 10)
	if s.Run == "" {
		return number
	}
	return s.Run + ":" + number
}

// lastUntil finds the last record before the first one that is later than a time; 0 when there is none, and no bound where no record is
// later. Clocks may go back, so it reads all records up to there.
func (l log) lastUntil(ctx context.Context, at events.Time) (last events.Seq, err error) {
	s := l.reader.Scan(1).WithoutDigest()
	for s.Next() {
		if s.Record().Time > at {
			return last, s.Close()
		}
		if last++; last%recordsPerCheck == 0 && ctx.Err() != nil {
			return 0, errors.Join(context.Cause(ctx), s.Close())
		}
	}
	return math.MaxUint64, errors.Join(s.Err(), s.Close())
}

// texts gives the bounds as ParseUntil reads them, with whole run ids.
func (u *Until) texts(all logs) []string {
	var texts []string
	for _, stop := range u.Stops {
		if i, err := all.named(stop); err == nil {
			texts = append(texts, Stop{Run: all[i].reader.Run().String(), Last: stop.Last}.String())
		}
	}
	if u.Time != 0 {
		texts = append(texts, u.Time.String())
	}
	return texts
}

// unreached gives the bounds behind the end of their logs, as ParseUntil reads them; later are the logs of which nothing counts.
func (u *Until) unreached(all logs, later []string) []string {
	var texts []string
	for _, stop := range u.Stops {
		if i, err := all.named(stop); err == nil && stop.Last > all[i].last {
			texts = append(texts, stop.String())
		}
	}
	cut := func(l log) bool { return l.until < l.last }
	if u.Time != 0 && len(later) == 0 && !slices.ContainsFunc(all, cut) {
		texts = append(texts, u.Time.String())
	}
	return texts
}

// bounded gives the records up to a bound, and reads none behind it.
type bounded struct {
	scanner
	until events.Seq
	at    events.Seq
}

// Next goes on to the next record within the bound.
func (b *bounded) Next() bool {
	if b.at >= b.until || !b.scanner.Next() {
		return false
	}
	b.at = b.scanner.Record().Seq
	return b.at <= b.until
}
