package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tests of this file hold the house together: what stands at its top, and which package may import which. The way from
// what was seen to what it means is one way, and a wrong import is how such a way gets lost.

// top is what the top level holds, beside dot-files, the built program (btda) and what a recording leaves (output).
var top = []string{"LICENSE", "README.md", "btda", "cmd", "events", "go.mod", "go.sum", "input", "output", "projections", "recorder", "replay"}

// everywhere are the packages that everything may import: they are pure.
var everywhere = []string{"events", "events/pieces", "input/bencode"}

// arrow allows the packages that match a pattern to import others of ours, and no more.
type arrow struct {
	from string
	to   []string
	why  string
}

// arrows has every package of ours: the first pattern that matches one counts.
var arrows = []arrow{
	{"events", nil, "the vocabulary is shared by all and so depends on none"},
	{"events/pieces", []string{"events"}, "a piece set is arithmetic, for capture and folds alike"},
	{"events/eventstest", []string{"events"}, "tests of every package use it"},
	{"events/eventlog", []string{"events"}, "the log stores payloads; what they mean is not its business"},
	{"input/bencode", nil, "it is the one door to the library, for bytes that nobody trusts"},
	{"input", []string{"events"}, "what is to be observed is known before anything is recorded or replayed"},
	{"projections", nil, "a fold sees records and nothing else, so that the same log gives the same rows"},
	{"projections/*", []string{"projections"}, "writers and reports see rows"},
	{"replay", []string{"events/eventlog", "projections", "projections/sqlite"}, "replay joins log and folds; it must work without the recorder"},
	{"recorder/wire", []string{"recorder/netfail"}, "a codec of remote bytes has no sockets"},
	{"recorder/session", []string{"input", "recorder/mse", "recorder/netfail", "recorder/wire"}, "a session encrypts its connection; it knows no source"},
	{"recorder/netfail", nil, "every part of the recorder gives it errors, so it knows none of them"},
	{"recorder/swarm", nil, "the schedule decides; it does not connect"},
	{"recorder/swarmtest", []string{"input"}, "a swarm to be observed must not know its observer"},
	{"recorder/swarmtest/realclient", []string{"recorder/swarmtest"}, "nor must one of clients that other people wrote"},
	{"recorder/*", []string{"input", "recorder/wire", "recorder/netfail"}, "tracker, dht and session are sources side by side: one must not need another"},
	{"recorder", []string{"input", "recorder/dht", "recorder/mse", "recorder/netfail", "recorder/session", "recorder/swarm", "recorder/tracker", "recorder/utp", "recorder/wire"},
		"capture appends to the log that it is given, and shares with replay only that log"},
	{"cmd/btda", []string{"events/eventlog", "input", "recorder", "recorder/*", "projections", "projections/*", "replay"}, "it wires everything"},
	{"cmd/btda-demo", []string{"events/*", "input", "recorder", "recorder/*", "projections", "projections/*", "replay"}, "it wires everything, and a swarm to observe"},
}

// ban forbids an import, whatever the arrows say: of packages of ours, of the standard library or of a module.
type ban struct {
	from []string // patterns
	to   []string // import paths; one that ends in /... stands for all below it too
	deep bool     // also through other packages
	why  string
}

var bans = []ban{
	{from: []string{"events", "events/pieces", "input/bencode", "recorder/wire", "projections"}, to: []string{"net", "net/http", "os", "io/fs"},
		why: "it is pure: no network and no file (net/netip is only a type)"},
	{from: []string{"projections"}, to: []string{"math/rand", "math/rand/v2", "crypto/rand", "runtime", "database/sql"},
		why: "a fold gives the same rows whenever and wherever it runs, and does no I/O"},
	{from: []string{"projections"}, to: []string{"btda/events/eventlog", "btda/recorder/...", "github.com/cockroachdb/pebble/v2/...", "modernc.org/sqlite/..."}, deep: true,
		why: "a fold must not know where records come from and where rows go"},
	{from: []string{"recorder", "recorder/*"}, to: []string{"btda/projections/...", "btda/replay", "modernc.org/sqlite/..."}, deep: true,
		why: "nothing at capture time folds or touches SQLite: the log is all that the two share"},
	{from: []string{"replay"}, to: []string{"btda/recorder/..."}, deep: true,
		why: "a log can be replayed where nothing was recorded"},
	{from: []string{"cmd/btda"}, to: []string{"btda/recorder/swarmtest", "github.com/anacrolix/torrent"}, deep: true,
		why: "the observer must not contain a client that could share content"},
}

// doors names the only packages that may import a module, because its hazards are dealt with there.
var doors = []struct {
	module string
	only   []string
	why    string
}{
	{"github.com/zeebo/bencode", []string{"input/bencode"}, "unbounded, it lets 20 bytes from outside allocate 2 GiB or end the process"},
	{"github.com/cockroachdb/pebble/v2", []string{"events/eventlog"}, "how the log is stored must stay free to change"},
	{"modernc.org/sqlite", []string{"projections/sqlite", "cmd/btda-demo"}, "byte-identical files need settings that are made in one place; the demo only reads"},
	{"github.com/oschwald/geoip2-golang/v2", []string{"input"}, "places come in through an interface"},
	{"go.yaml.in/yaml/v3", []string{"cmd/btda"}, "only the program reads a configuration file"},
	{"github.com/anacrolix/dht/v2", []string{"recorder/dht", "recorder/swarmtest"}, "a single datagram ends a process that uses it without the guard; swarms to be observed are among friends"},
	{"github.com/anacrolix/utp", []string{"recorder/utp", "recorder/swarmtest"}, "unbounded, it keeps a connection for every packet that asks for one; swarms to be observed are among friends"},
	{"github.com/spf13/cobra", []string{"cmd/btda", "cmd/btda-demo"}, "only programs have flags"},
	{"github.com/anacrolix/torrent", []string{"recorder/swarmtest", "cmd/btda-demo"}, "a whole client is for swarms to be observed"},
}

// goPackage is what go list says of a package; tests are not in it.
type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// name is the import path below the module.
func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, "btda/") }

// packages lists the packages of the module that have more than tests.
var packages = sync.OnceValues(func() ([]goPackage, error) {
	command := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", "./...")
	command.Dir = root()
	out, err := command.Output()
	if err != nil {
		return nil, err
	}
	var all []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
})

// root is the top folder of the module, as seen from this package.
func root() string { return filepath.Join("..", "..") }

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return all
}

// matches reports whether a package is one of the patterns.
func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

// covers reports whether an import path is one of those that are named.
func covers(paths []string, imported string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		above, deep := strings.CutSuffix(p, "/...")
		return imported == above || deep && strings.HasPrefix(imported, above+"/")
	})
}

func TestImportArrows(t *testing.T) {
	for _, p := range listPackages(t) {
		i := slices.IndexFunc(arrows, func(a arrow) bool { return matches(p.name(), []string{a.from}) })
		if i < 0 {
			t.Errorf("%s has no place in the house: give it arrows", p.name())
			continue
		}
		for _, imported := range p.Imports {
			ours, is := strings.CutPrefix(imported, "btda/")
			if is && !matches(ours, everywhere) && !matches(ours, arrows[i].to) || is && arrows[i].from == "events" {
				t.Errorf("%s must not import %s: %s", p.name(), ours, arrows[i].why)
			}
		}
	}
}

func TestBannedImports(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, b := range bans {
			imports := p.Imports
			if b.deep {
				imports = p.Deps
			}
			if !matches(p.name(), b.from) {
				continue
			}
			if i := slices.IndexFunc(imports, func(imported string) bool { return covers(b.to, imported) }); i >= 0 {
				t.Errorf("%s must not import %s: %s", p.name(), imports[i], b.why)
			}
		}
	}
}

func TestModulesComeInThroughTheirDoor(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, d := range doors {
			for _, imported := range p.Imports {
				if covers([]string{d.module + "/..."}, imported) && !matches(p.name(), d.only) {
					t.Errorf("%s must not import %s, only %s may: %s", p.name(), imported, strings.Join(d.only, " and "), d.why)
				}
			}
		}
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	drawers := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "lib"}
	for _, p := range listPackages(t) {
		for _, part := range strings.Split(p.name(), "/") {
			if slices.Contains(drawers, part) {
				t.Errorf("%s: a package is named after what it is about", p.name())
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(top, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
