package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"btda/events/pieces"
	"btda/projections"
	"btda/projections/sqlite"
)

// Verification is a question: is a file what some logs give, with the options that the file names and this program?
type Verification struct {
	Logs []string
	File string // the result in question; it is not changed
	// Places and PlaceFiles are those of Options. They must be the ones that the file names.
	Places     projections.PlaceFinder
	PlaceFiles []PlaceFile
	SQL        *SQL // must be the one that the file names
	Report     func(RowChange) error
	Progress   *Progress // may be nil
}

// Verdict is the answer.
type Verdict struct {
	Same    bool       // byte for byte, the name of the program in provenance aside
	Program string     // that made the file, where it is another one than this; else empty
	Result  Result     // of the replay
	Differs Difference // what is not the same; Old is the file and New what the logs give
	Rows    bool       // all rows are the same, provenance aside
}

// Run replays into a temporary file and compares.
func (v Verification) Run(ctx context.Context) (Verdict, error) {
	facts, err := factsOf(ctx, v.File)
	if err != nil {
		return Verdict{}, err
	}
	o, err := v.options(facts)
	if err != nil {
		return Verdict{}, fmt.Errorf("%s: %w", v.File, err)
	}
	folder, err := os.MkdirTemp("", "btda-verify")
	if err != nil {
		return Verdict{}, err
	}
	verdict, err := v.replayInto(ctx, o, filepath.Join(folder, "replayed.sqlite"))
	return verdict, errors.Join(err, os.RemoveAll(folder))
}

func (v Verification) replayInto(ctx context.Context, o Options, path string) (verdict Verdict, err error) {
	o.Output = path
	if verdict.Result, err = Run(ctx, o); err != nil {
		return verdict, err
	}
	if o.program != revision() {
		verdict.Program = o.program
	}
	if verdict.Same, err = sameBytes(pair[string]{v.File, path}); err != nil || verdict.Same {
		verdict.Rows = verdict.Same
		return verdict, err
	}
	verdict.Differs, err = Comparison{Old: v.File, New: path, Report: v.Report}.Run(ctx)
	verdict.Rows = verdict.Differs.SameRows()
	return verdict, err
}

func factsOf(ctx context.Context, path string) (map[string]*string, error) {
	r, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	facts, err := readFacts(r)
	return facts, errors.Join(err, r.Close())
}

// sameBytes compares two files.
func sameBytes(paths pair[string]) (bool, error) {
	a, err := os.Open(paths.old)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(paths.new)
	if err != nil {
		return false, err
	}
	defer b.Close()
	const chunk = 1 << 18
	left, right := make([]byte, chunk), make([]byte, chunk)
	for {
		n, err := io.ReadFull(a, left)
		m, other := io.ReadFull(b, right)
		if !bytes.Equal(left[:n], right[:m]) {
			return false, nil
		}
		if err != nil || other != nil {
			return ended(err) && ended(other), errors.Join(unlessEnded(err), unlessEnded(other))
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func unlessEnded(err error) error {
	if ended(err) {
		return nil
	}
	return err
}

// options are those that made the file.
func (v Verification) options(facts map[string]*string) (Options, error) {
	if err := checkSchema(facts); err != nil {
		return Options{}, err
	}
	o := DefaultOptions()
	o.Logs, o.Progress = v.Logs, v.Progress
	r := factReader{facts: facts}
	o.program = r.text("program.revision")
	r.read("option.threshold", func(text string) error {
		threshold, err := pieces.ParseFraction(text)
		o.Projections.Threshold = &threshold
		return err
	})
	o.Projections.Sweep = nil
	r.list("option.sweep", func(text string) error {
		threshold, err := pieces.ParseFraction(text)
		o.Projections.Sweep = append(o.Projections.Sweep, threshold)
		return err
	})
	r.read("option.identity", func(text string) (err error) {
		o.Projections.Identity, err = projections.ParseIdentity(text)
		return err
	})
	r.duration("option.settle", &o.Projections.Settle)
	r.duration("option.revisit", &o.Projections.Revisit)
	r.flag("option.with_addresses", &o.Projections.WithAddresses)
	r.flag("option.mixed_pseudonyms", &o.Projections.MixedPseudonyms)
	v.readSelection(&r, &o)
	return o, errors.Join(r.err, v.bring(&r, &o), r.unread())
}

// readSelection reads which part of the logs the file is of.
func (v Verification) readSelection(r *factReader, o *Options) {
	r.read("option.until", func(text string) (err error) {
		o.Until, err = ParseUntil(strings.Split(text, ",")...)
		return err
	})
	r.read("option.from", func(text string) (err error) {
		o.Selection.From, err = ParseTime(text)
		return err
	})
	r.list("option.torrent", func(text string) error {
		hash, err := ParseInfoHash(text)
		o.Selection.Torrents = append(o.Selection.Torrents, hash)
		return err
	})
	r.list("option.source", func(text string) error {
		source, err := ParseSource(text)
		o.Selection.Sources = append(o.Selection.Sources, source)
		return err
	})
}

func checkSchema(facts map[string]*string) error {
	want := strconv.Itoa(projections.SchemaVersion)
	got := facts["schema.version"]
	if got == nil {
		return errors.New("it does not say how it was made: replay the logs again")
	}
	if *got != want {
		return fmt.Errorf("it has version %q of the tables and this program makes version %s: replay the logs again, or verify with the program that made it", *got, want)
	}
	return nil
}

// bring takes what was not in the logs: geolocation files and the user's SQL.
func (v Verification) bring(r *factReader, o *Options) error {
	var want, got []string
	for i := 1; r.facts[fmt.Sprintf("place.%d.sha256", i)] != nil; i++ {
		prefix := fmt.Sprintf("place.%d.", i)
		want = append(want, fmt.Sprintf("%s built %s, SHA-256 %s", r.text(prefix+"type"), r.text(prefix+"built"), r.text(prefix+"sha256")))
	}
	for _, file := range slices.SortedFunc(slices.Values(v.PlaceFiles), PlaceFile.compare) {
		got = append(got, fmt.Sprintf("%s built %s, SHA-256 %x", file.Type, file.Built.UTC().Format(time.RFC3339), file.SHA256))
	}
	if len(want) > 0 {
		if !slices.Equal(got, want) {
			return fmt.Errorf("it was made with the geolocation files %s, but there are %s: name the files with --places", shortList(want), shortList(got))
		}
		o.Projections.Places, o.PlaceFiles = v.Places, v.PlaceFiles
	}
	sum := r.text("option.sql")
	if sum == "" {
		return nil
	}
	if v.SQL == nil || v.SQL.Sum() != sum {
		return fmt.Errorf("it was made with a file of SQL whose SHA-256 is %s: name that file with --sql", sum)
	}
	o.SQL = v.SQL
	return nil
}

// factReader reads options out of facts, and remembers the first that cannot be read.
type factReader struct {
	facts map[string]*string
	known []string
	err   error
}

// text gives a fact; empty when it is not known.
func (r *factReader) text(name string) string {
	r.known = append(r.known, name)
	if value := r.facts[name]; value != nil {
		return *value
	}
	return ""
}

func (r *factReader) read(name string, use func(string) error) {
	text := r.text(name)
	if text == "" || r.err != nil {
		return
	}
	if err := use(text); err != nil {
		r.err = fmt.Errorf("its provenance says %s: %w", name, err)
	}
}

func (r *factReader) list(name string, use func(string) error) {
	r.read(name, func(text string) error {
		for _, part := range strings.Split(text, ",") {
			if err := use(part); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *factReader) duration(name string, to *time.Duration) {
	r.read(name, func(text string) (err error) {
		*to, err = time.ParseDuration(text)
		return err
	})
}

func (r *factReader) flag(name string, to *bool) {
	r.read(name, func(text string) (err error) {
		*to, err = strconv.ParseBool(text)
		return err
	})
}

// unread refuses options that this program does not know.
func (r *factReader) unread() error {
	for name, value := range r.facts {
		if strings.HasPrefix(name, "option.") && value != nil && !slices.Contains(r.known, name) {
			return fmt.Errorf("it was made with %s = %q, which this program does not know: verify with the program that made it", name, *value)
		}
	}
	return nil
}
