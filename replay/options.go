package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"btda/projections"
)

// Options says what to replay, how to understand it, and where the result goes.
type Options struct {
	// Logs are the folders of the logs, in any order: the result does not depend on it. A log of a run that another
	// one holds too is counted once.
	Logs   []string
	Output string // the SQLite file; one that exists is replaced on success
	Until  Until  // where to stop; the zero Until is the end of the logs
	// Selection says which rows are written; the zero Selection is all.
	Selection Selection
	// Projections says how to understand the records. DefaultOptions has its defaults.
	Projections projections.Options
	// PlaceFiles are the facts about the geolocation files behind Projections.Places.
	PlaceFiles []PlaceFile
	SQL        *SQL      // to run over the result; nil for none
	Progress   *Progress // is told how far the replay is; may be nil

	stops   []string // Until with whole run ids
	program string   // that provenance names; empty for this one
}

// PlaceFile is what provenance keeps of a geolocation file: which one it was, never where it lay.
type PlaceFile struct {
	Type   string    // as the file names itself, such as GeoLite2-City
	Built  time.Time // when its publisher made it
	SHA256 [32]byte  // of the whole file
}

// compare orders files by what they are, so that neither their names nor the order in which they are named counts.
func (f PlaceFile) compare(g PlaceFile) int {
	return cmp.Or(cmp.Compare(f.Type, g.Type), f.Built.Compare(g.Built), bytes.Compare(f.SHA256[:], g.SHA256[:]))
}

// DefaultOptions returns the defaults. Logs and Output have none.
func DefaultOptions() Options {
	return Options{Projections: projections.DefaultOptions()}
}

var errNoLog = errors.New("no log to replay: name the folder of at least one")

func (o *Options) validate() error {
	if len(o.Logs) == 0 {
		return errNoLog
	}
	if o.Output == "" {
		return errors.New("no name of the file to write")
	}
	if len(o.PlaceFiles) > 0 && o.Projections.Places == nil {
		return fmt.Errorf("%d geolocation files, but nothing that looks up places in them", len(o.PlaceFiles))
	}
	return nil
}

// sweepText lists the thresholds of the sweep, but for that of the recorder.
func sweepText(p *projections.Options) string {
	var texts []string
	for _, threshold := range p.Thresholds() {
		texts = append(texts, threshold.String())
	}
	return strings.Join(texts, ",")
}

// facts lists the options that change the rows, each as text.
func (o *Options) facts() []fact {
	p := o.Projections
	threshold, revisit := unknown("option.threshold"), unknown("option.revisit") // those of the recorder
	if p.Threshold != nil {
		threshold = known("option.threshold", p.Threshold.String())
	}
	if p.Revisit != 0 {
		revisit = known("option.revisit", p.Revisit.String())
	}
	identity := p.Identity
	if identity == "" {
		identity = projections.IdentityEndpoint
	}
	facts := []fact{threshold, known("option.sweep", sweepText(&p)), known("option.identity", string(identity)), known("option.settle", p.Settle.String()), revisit,
		known("option.with_addresses", strconv.FormatBool(p.WithAddresses)), known("option.mixed_pseudonyms", strconv.FormatBool(p.MixedPseudonyms)),
		listed("option.until", o.stops)}
	facts = append(facts, o.Selection.facts()...)
	facts = append(facts, o.SQL.fact())
	for i, file := range slices.SortedFunc(slices.Values(o.PlaceFiles), PlaceFile.compare) {
		prefix := fmt.Sprintf("place.%d.", i+1)
		facts = append(facts, known(prefix+"type", file.Type), known(prefix+"built", file.Built.UTC().Format(time.RFC3339)),
			known(prefix+"sha256", fmt.Sprintf("%x", file.SHA256)))
	}
	return facts
}
