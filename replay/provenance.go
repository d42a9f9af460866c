package replay

import (
	"cmp"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"btda/projections"
)

// fact is one row of the table provenance: where the other rows come from.
type fact struct {
	name  string
	value projections.Value
}

func known(name, value string) fact {
	return fact{name, projections.Value{Type: projections.Text, Text: value}}
}

// listed is a fact of several texts in any order; NULL for none.
func listed(name string, texts []string) fact {
	if len(texts) == 0 {
		return unknown(name)
	}
	return known(name, strings.Join(slices.Compact(slices.Sorted(slices.Values(texts))), ","))
}

func unknown(name string) fact { return fact{name: name} }

// provenance makes the table of the facts about logs, program and options. No path and no time of the replay is among them, so
// that it is the same for the same work.
func provenance(o *Options, r *Result) projections.Table {
	return projections.Table{
		Name:    provenanceTable,
		Columns: []projections.Column{{Name: "id", Type: projections.Integer}, {Name: "name", Type: projections.Text}, {Name: "value", Type: projections.Text}},
		Rows:    factRows(r.facts(o)),
	}
}

func (r *Result) facts(o *Options) []fact {
	facts := []fact{
		known("program.revision", cmp.Or(o.program, revision())),
		known("schema.version", strconv.Itoa(projections.SchemaVersion)),
	}
	facts = append(facts, known("partial", strconv.FormatBool(r.Partial)))
	facts = append(facts, o.facts()...)
	for i, run := range r.Runs {
		facts = append(facts, run.facts(fmt.Sprintf("log.%d.", i+1))...)
	}
	return facts
}

func (r *Recording) facts(prefix string) []fact {
	facts := []fact{
		known(prefix+"run", r.ID.String()),
		known(prefix+"program", r.Program),
		known(prefix+"first_sequence", strconv.FormatUint(uint64(r.First), 10)),
		known(prefix+"last_sequence", strconv.FormatUint(uint64(r.Last), 10)),
		known(prefix+"digest", fmt.Sprintf("%x", r.Digest)),
		known(prefix+"end", string(r.Ending)),
	}
	for _, s := range r.Skipped {
		facts = append(facts, known(fmt.Sprintf("%sskipped.kind.%d", prefix, s.Kind), strconv.FormatUint(s.Count, 10)))
	}
	return facts
}

func factRows(facts []fact) iter.Seq[projections.Row] {
	return func(yield func(projections.Row) bool) {
		for i, f := range facts {
			id := projections.Value{Type: projections.Integer, Integer: int64(i + 1)}
			name := projections.Value{Type: projections.Text, Text: f.name}
			if !yield(projections.Row{id, name, f.value}) {
				return
			}
		}
	}
}

// revision names the program: the revision that it was built from, with +modified where the source was changed after it; else
// the version of the module, as go install gives it; else "unknown", as in a test or with go run.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return revisionOf(info)
}

func revisionOf(info *debug.BuildInfo) string {
	name, modified := "unknown", ""
	if version := info.Main.Version; version != "" && version != "(devel)" {
		name = version
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			name = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = "+modified"
		}
	}
	return name + modified
}
