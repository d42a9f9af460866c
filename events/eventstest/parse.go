package eventstest

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"btda/events"
)

// Start is the time that the text form counts from: 2026-01-01 00:00 UTC.
const Start events.Time = 1767225600_000000000

// Parse reads the text form. Errors name the line, what is wrong with it and what is known instead.
func Parse(text string) ([]events.Record, error) {
	p := parser{start: Start}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return p.records, nil
}

type parser struct {
	start   events.Time
	run     events.RunID
	seq     events.Seq
	records []events.Record
}

func (p *parser) line(line string) error {
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	l := lexer{rest: line}
	first, second := l.word(), l.word()
	if first == "start" {
		return p.start.UnmarshalText([]byte(second))
	}
	offset, err := parseSeconds(first)
	if err != nil {
		return err
	}
	event, err := newEvent(second)
	if err != nil {
		return err
	}
	fields, err := l.fields()
	if err != nil {
		return fmt.Errorf("%s: %w", second, err)
	}
	if err := setFields(event, fields); err != nil {
		return fmt.Errorf("%s: %w", second, err)
	}
	p.add(p.start.Add(offset), event)
	return nil
}

func (p *parser) add(at events.Time, event events.Event) {
	if started, ok := event.(*events.RunStarted); ok {
		p.run, p.seq = started.Run, 0
	}
	p.seq++
	p.records = append(p.records, events.Record{Run: p.run, Seq: p.seq, Time: at, Event: event})
}

// parseSeconds reads seconds with up to nine digits after the point.
func parseSeconds(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text + "s")
	if err != nil || strings.Trim(text, "-0123456789.") != "" {
		return 0, fmt.Errorf("time %q: want seconds, such as 1.5", text)
	}
	return d, nil
}

func formatSeconds(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	text := fmt.Sprintf("%s%d.%09d", sign, d/time.Second, d%time.Second)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func newEvent(kind string) (events.Event, error) {
	if kind == "Unknown" {
		return new(events.Unknown), nil
	}
	if k, ok := events.KindNamed(kind); ok {
		return k.New(), nil
	}
	var known []string
	for _, k := range events.Kinds() {
		known = append(known, k.String())
	}
	return nil, fmt.Errorf("kind %q is not known: want one of %s", kind, strings.Join(known, ", "))
}

func setFields(event events.Event, fields []field) error {
	targets := structFields("", reflect.ValueOf(event).Elem())
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		if seen[f.name] {
			return fmt.Errorf("%s is given twice", f.name)
		}
		seen[f.name] = true
		if err := setField(event, targets, f); err != nil {
			return err
		}
	}
	return nil
}

func setField(event events.Event, targets []target, f field) error {
	if started, ok := event.(*events.RunStarted); ok && strings.HasPrefix(f.name, settingPrefix) {
		setting := events.Setting{Name: strings.TrimPrefix(f.name, settingPrefix), Value: f.value.text}
		started.Configuration = append(started.Configuration, setting)
		return nil
	}
	known := make([]string, len(targets))
	for i, t := range targets {
		if t.name == f.name {
			if err := t.set(f.value); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			return nil
		}
		known[i] = t.name
	}
	return fmt.Errorf("no field %q: want one of %s", f.name, strings.Join(known, ", "))
}

// Format writes records in the text form, a line each. Parse gives the same records back where sequence numbers count
// from 1 in each run and runs begin with RunStarted.
func Format(records []events.Record) string {
	var b strings.Builder
	start := Start
	if len(records) > 0 && (records[0].Time < Start || records[0].Time.Sub(Start) > 24*time.Hour) {
		start = records[0].Time
		fmt.Fprintf(&b, "start %v\n", start)
	}
	for _, r := range records {
		b.WriteString(formatSeconds(r.Time.Sub(start)))
		b.WriteByte(' ')
		b.WriteString(FormatEvent(r.Event))
		b.WriteByte('\n')
	}
	return b.String()
}

// FormatEvent writes the kind and the fields of an event.
func FormatEvent(e events.Event) string {
	name := e.Kind().String()
	if _, ok := e.(*events.Unknown); ok {
		name = "Unknown"
	}
	words := []string{name}
	if started, ok := e.(*events.RunStarted); ok {
		for _, s := range started.Configuration {
			words = append(words, settingPrefix+s.Name+"="+quote(s.Value))
		}
	}
	for _, t := range structFields("", reflect.ValueOf(e).Elem()) {
		if text, ok := t.text(); ok {
			words = append(words, t.name+"="+text)
		}
	}
	return strings.Join(words, " ")
}

// parseNumber reads a number, or says what is wanted.
func parseNumber(text string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%q: want a number from 0 to %d", text, uint64(1)<<bits-1)
	}
	return n, nil
}
