package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is a parsed file of a package, without tests.
type source struct {
	name string // from the top of the module
	file *ast.File
}

// sources parses the files of a package.
func sources(t *testing.T, files *token.FileSet, p goPackage) []source {
	t.Helper()
	var all []source
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{p.name() + "/" + name, file})
	}
	return all
}

// bannedCalls are what a fold or writer of rows must not ask, because the answer is not in the log.
var bannedCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep", "Local", "LoadLocation"},
	"os":   {"Getenv", "LookupEnv", "Environ", "Hostname", "Getpid", "Getwd"},
}

func TestProjectionsAskNoClockAndNoEnvironment(t *testing.T) {
	files := token.NewFileSet()
	for _, p := range listPackages(t) {
		if !strings.HasPrefix(p.name(), "projections") {
			continue
		}
		for _, s := range sources(t, files, p) {
			for _, selector := range selections(s.file, bannedCalls) {
				t.Errorf("%v: %v.%s: the same log must give the same rows at any time and in any place", files.Position(selector.Pos()), selector.X, selector.Sel.Name)
			}
		}
	}
}

func TestExportedIdentifiersAreDocumented(t *testing.T) {
	files := token.NewFileSet()
	for _, p := range listPackages(t) {
		documented := false
		for _, s := range sources(t, files, p) {
			documented = documented || s.file.Doc != nil
			for _, n := range undocumented(s.file) {
				t.Errorf("%v: %s has no doc comment", files.Position(n.Pos()), n.Name)
			}
		}
		if !documented {
			t.Errorf("%s has no package comment", p.name())
		}
	}
}

// undocumented lists the exported functions, methods of exported types, types, constants and variables of a file that say
// nothing of themselves, neither above, nor behind, nor above their group.
func undocumented(file *ast.File) []*ast.Ident {
	var all []*ast.Ident
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && receiverIsExported(d) {
				all = append(all, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				all = append(all, undocumentedSpec(d, spec)...)
			}
		}
	}
	return all
}

func undocumentedSpec(group *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	var names []*ast.Ident
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && s.Comment == nil {
			names = []*ast.Ident{s.Name}
		}
	case *ast.ValueSpec:
		if s.Doc == nil && s.Comment == nil {
			names = s.Names
		}
	}
	if group.Doc != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(n *ast.Ident) bool { return !n.IsExported() })
}

// receiverIsExported reports whether a function is none of a type that nobody outside can name.
func receiverIsExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	name, ok := receiver.(*ast.Ident)
	return !ok || name.IsExported()
}

// network names what opens sockets.
var network = map[string][]string{
	"net":     {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialUnix", "DialIP", "Dialer", "Listen", "ListenTCP", "ListenUDP", "ListenPacket", "ListenConfig", "Resolver", "DefaultResolver"},
	"http":    {"Get", "Post", "Head", "PostForm", "Client", "DefaultClient", "Transport", "DefaultTransport", "ListenAndServe", "Server"},
	"torrent": {"NewClient"},
}

// networkFiles are the only places from which bytes leave for the network, and those of the swarms that are made to be observed.
var networkFiles = []string{"recorder/session/tcp.go", "recorder/utp/socket.go", "recorder/tracker/http.go", "recorder/tracker/scope.go", "recorder/tracker/sockets.go", "recorder/dht/socket.go", "recorder/swarmtest/client.go", "recorder/swarmtest/dht.go", "recorder/swarmtest/tracker.go", "recorder/swarmtest/trackerudp.go",
	"recorder/swarmtest/port.go", "recorder/swarmtest/doors.go", "recorder/swarmtest/child.go", "recorder/swarmtest/realclient/remote.go",
	"events/eventlog/endpoint.go", "events/eventlog/remote.go"} // a Unix socket

func TestBytesLeaveForTheNetworkInFewPlaces(t *testing.T) {
	files := token.NewFileSet()
	used := make(map[string]bool)
	for _, p := range listPackages(t) {
		for _, s := range sources(t, files, p) {
			for _, selector := range selections(s.file, network) {
				used[s.name] = true
				if !slices.Contains(networkFiles, s.name) {
					t.Errorf("%v opens sockets: only %s do, so that one can see what leaves", files.Position(selector.Pos()), strings.Join(networkFiles, ", "))
				}
			}
		}
	}
	for _, name := range networkFiles {
		if !used[name] {
			t.Errorf("%s opens no socket any more", name)
		}
	}
}

// selections lists where a file names something of another package.
func selections(file *ast.File, banned map[string][]string) []*ast.SelectorExpr {
	var all []*ast.SelectorExpr
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if from, ok := selector.X.(*ast.Ident); ok && slices.Contains(banned[from.Name], selector.Sel.Name) {
			all = append(all, selector)
		}
		return true
	})
	return all
}
