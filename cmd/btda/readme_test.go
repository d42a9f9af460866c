package main_test

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"btda/recorder"
)

var rewrite = flag.Bool("rewrite", false, "write the table of settings into README.md")

func readmePath() string { return filepath.Join(root(), "README.md") }

func readReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(readmePath())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// literals are the parts of a help text that the README sets as code.
var literals = regexp.MustCompile(`<output>/<time>_<host>\.events|\*\.torrent|\.log\b|--\w+ visit`)

// settingsTable is the README's table of settings.
func settingsTable() string {
	var table strings.Builder
	table.WriteString("| flag | default | meaning |\n| --- | --- | --- |\n")
	settings := recorder.DefaultSettings()
	for _, f := range settings.Fields() {
		name := "`--" + f.Name + "`"
		if f.Short != "" {
			name = "`-" + f.Short + "`, " + name
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", name, defaultOf(f), literals.ReplaceAllString(f.Help, "`$0`"))
	}
	return table.String()
}

func defaultOf(f recorder.Field) string {
	switch text := f.Text(); {
	case text == "", text == "false":
		return ""
	case strings.HasPrefix(f.Unit, "of "), strings.HasPrefix(f.Unit, "a "):
		return text + " " + f.Unit
	default:
		return wholeMinutes.ReplaceAllString(text, "m")
	}
}

// wholeMinutes is the end of a duration that need not say its seconds.
var wholeMinutes = regexp.MustCompile(`m0s$`)

func TestReadmeHasEverySetting(t *testing.T) {
	const begin, end = "<!-- settings, written by go test ./cmd/btda -rewrite -->\n", "<!-- end of settings -->"
	readme := readReadme(t)
	before, rest, ok := strings.Cut(readme, begin)
	_, after, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatal("the marks of the table of settings are gone")
	}
	want := before + begin + "\n" + settingsTable() + "\n" + end + after
	if *rewrite {
		if err := os.WriteFile(readmePath(), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if readme != want {
		t.Error("the table of settings is not that of recorder.Settings: run go test ./cmd/btda -rewrite")
	}
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// readmePaths gives the paths that the README names in code spans and commands.
func readmePaths(readme string) []string {
	var all []string
	for _, line := range strings.Split(readme, "\n") {
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "    ") {
			words = nil
			for _, span := range codeSpan.FindAllStringSubmatch(line, -1) {
				words = append(words, strings.Fields(span[1])...)
			}
		}
		for _, word := range words {
			if isPath(word) {
				all = append(all, strings.TrimPrefix(word, "./"))
			}
		}
	}
	return all
}

var pathWord = regexp.MustCompile(`^[\w./-]+$`)

// isPath reports whether a word of the README is meant as a path of the repository.
func isPath(word string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(word, "./"), "/")
	made := first == "output" || first == "btda"
	return pathWord.MatchString(word) && !made && (slices.Contains(top, first) || first == ".ci")
}

func TestReadmePathsExist(t *testing.T) {
	paths := readmePaths(readReadme(t))
	if len(paths) < 30 {
		t.Errorf("only %d paths were found", len(paths))
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join(root(), path)); err != nil {
			t.Errorf("README.md names %s, which does not exist", path)
		}
	}
}

// readmeCommands gives the commands of the README that begin with a word.
func readmeCommands(readme, program string) []string {
	var all []string
	for _, line := range strings.Split(readme, "\n") {
		if command, ok := strings.CutPrefix(line, "    "+program+" "); ok {
			command, _, _ = strings.Cut(command, "  #")
			all = append(all, strings.TrimSpace(command))
		}
	}
	for _, span := range codeSpan.FindAllStringSubmatch(readme, -1) {
		if command, ok := strings.CutPrefix(span[1], program+" "); ok {
			all = append(all, command)
		}
	}
	return all
}

func TestReadmeCommandsOfBtdaExist(t *testing.T) {
	program := filepath.Join(t.TempDir(), "btda")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	readme := readReadme(t)
	commands := append(readmeCommands(readme, "./btda"), readmeCommands(readme, "btda")...)
	if len(commands) < 5 {
		t.Errorf("only %d commands were found", len(commands))
	}
	for _, command := range commands {
		words := strings.Fields(command)
		help, err := exec.Command(program, words[0], "--help").CombinedOutput()
		if err != nil || !strings.Contains(string(help), "btda "+words[0]+" ") {
			t.Errorf("README.md says btda %s, but there is no command %s", command, words[0])
			continue
		}
		for _, word := range words[1:] {
			if strings.HasPrefix(word, "-") && !regexp.MustCompile(`(?m)^ +(-\w, )?`+word+`\b|^ +`+word+`, `).Match(help) {
				t.Errorf("README.md says btda %s, but it has no flag %s", command, word)
			}
		}
	}
}

func TestReadmeCommandsOfGoParse(t *testing.T) {
	commands := readmeCommands(readReadme(t), "go")
	if len(commands) < 5 {
		t.Errorf("only %d commands were found", len(commands))
	}
	for _, command := range commands {
		if err := checkGoCommand(t, strings.Fields(command)); err != nil {
			t.Errorf("README.md says go %s: %v", command, err)
		}
	}
}

// checkGoCommand looks at a go command without running it: its packages, the flags of their tests and the tests it asks for.
func checkGoCommand(t *testing.T, words []string) error {
	if !slices.Contains([]string{"run", "build", "test", "mod", "tool"}, words[0]) {
		return fmt.Errorf("there is no go %s", words[0])
	}
	var under []goPackage
	for _, word := range words[1:] {
		if !strings.HasPrefix(word, "./") {
			continue
		}
		pattern := strings.TrimPrefix(word, "./")
		found := slices.DeleteFunc(slices.Clone(listPackages(t)), func(p goPackage) bool { return pattern != "..." && p.name() != pattern })
		if len(found) == 0 {
			return fmt.Errorf("there is no package %s", word)
		}
		under = append(under, found...)
	}
	for i, word := range words[1:] {
		switch {
		case words[0] == "run" && strings.HasPrefix(word, "--"):
			if !filesContain(under, "*.go", `Var\(&[\w.]+, "`+word[2:]+`"`) {
				return fmt.Errorf("the program has no flag %s", word)
			}
		case slices.Contains([]string{"-run", "-bench", "-fuzz"}, word):
			if err := checkTestName(under, word, strings.Trim(words[i+2], "'")); err != nil {
				return err
			}
		case strings.HasPrefix(word, "-") && !slices.Contains(goTestFlags, word):
			if !testsContain(under, `flag\.\w+\("`+word[1:]+`"`) {
				return fmt.Errorf("its tests have no flag %s", word)
			}
		}
	}
	return nil
}

// goTestFlags are those of go test that the README uses.
var goTestFlags = []string{"-short", "-benchtime", "-timeout"}

// checkTestName says whether there is a test, benchmark or fuzz test for a pattern.
func checkTestName(packages []goPackage, flag, pattern string) error {
	if pattern == "^$" || pattern == "." {
		return nil
	}
	kind := map[string]string{"-run": "Test", "-bench": "Benchmark", "-fuzz": "Fuzz"}[flag]
	if !testsContain(packages, `(?m)^func `+kind+`\w*`+strings.TrimPrefix(strings.Trim(pattern, "^$"), kind)) {
		return fmt.Errorf("%s %s finds nothing", flag, pattern)
	}
	return nil
}

// testsContain reports whether a test file of a package has a match of an expression.
func testsContain(packages []goPackage, expression string) bool {
	return filesContain(packages, "*_test.go", expression)
}

// filesContain reports whether a file of a package, of those that match a pattern, has a match of an expression.
func filesContain(packages []goPackage, pattern, expression string) bool {
	wanted := regexp.MustCompile(expression)
	for _, p := range packages {
		files, _ := filepath.Glob(filepath.Join(p.Dir, pattern))
		for _, name := range files {
			if text, err := os.ReadFile(name); err == nil && wanted.Match(text) {
				return true
			}
		}
	}
	return false
}

// testSources yields the test files of all packages.
func testSources(t *testing.T) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range listPackages(t) {
			files, _ := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
			for _, name := range files {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Error(err)
				}
				if !yield(string(text)) {
					return
				}
			}
		}
	}
}

// testVariables are the environment variables that tests read. Those with TEST in their name are between a test and its child process.
func testVariables(t *testing.T) map[string]bool {
	read := make(map[string]bool)
	for text := range testSources(t) {
		if !strings.Contains(text, "os.Getenv(") && !strings.Contains(text, "os.LookupEnv(") {
			continue
		}
		for _, variable := range regexp.MustCompile(`"(BTDA_[A-Z_]*[A-Z])"`).FindAllStringSubmatch(text, -1) {
			read[variable[1]] = true
		}
	}
	return read
}

// TestReadmeNamesWhatTestsCanBeTold holds flags and environment variables of tests and README together.
func TestReadmeNamesWhatTestsCanBeTold(t *testing.T) {
	readme := readReadme(t)
	for text := range testSources(t) {
		for _, flag := range regexp.MustCompile(`= flag\.\w+\("([\w-]+)"`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(readme, " -"+flag[1]) {
				t.Errorf("README.md does not name the test flag -%s", flag[1])
			}
		}
	}
	known := testVariables(t)
	for variable := range known {
		between := strings.Contains(variable, "TEST") || variable == "BTDA_BENCH_PEERS"
		if !between && !strings.Contains(readme, variable) {
			t.Errorf("README.md does not name the variable %s", variable)
		}
	}
	known["BTDA_CONFIG"] = true
	for _, f := range new(recorder.Settings).Fields() {
		known[variableOf(f.Name)] = true
	}
	for _, variable := range regexp.MustCompile(`BTDA_[A-Z_]*[A-Z]`).FindAllString(readme, -1) {
		if !known[variable] {
			t.Errorf("README.md names %s, which neither a test nor btda reads", variable)
		}
	}
}

// A benchmark that nobody finds is never run.
func TestReadmeNamesEveryPackageWithBenchmarks(t *testing.T) {
	readme := readReadme(t)
	for _, p := range listPackages(t) {
		if testsContain([]goPackage{p}, `(?m)^func Benchmark`) && !regexp.MustCompile("go test ./"+p.name()+" .*-bench").MatchString(readme) {
			t.Errorf("README.md names no command for the benchmarks of %s", p.name())
		}
	}
}

// The program that the README shows is one that is tested.
func TestReadmeShowsTheExample(t *testing.T) {
	const begin, end = "<!-- example, from replay/fold_example_test.go -->\n\n```go\n", "```\n\n<!-- end of example -->"
	_, text, found := strings.Cut(readReadme(t), begin)
	shown, _, ended := strings.Cut(text, end)
	source, err := os.ReadFile(filepath.Join(root(), "replay", "fold_example_test.go"))
	if err != nil || !found || !ended || !strings.Contains(string(source), shown) {
		t.Errorf("the README does not show what replay/fold_example_test.go has (%v)", err)
	}
}
