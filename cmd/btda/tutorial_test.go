//go:build linux

package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tutorialStep is a command of the README, and what it shows.
type tutorialStep struct {
	command string
	shows   []string
}

// tutorialSteps reads the README's tutorial: indented lines, of which those that begin with $ are commands.
func tutorialSteps(t *testing.T) (steps []tutorialStep) {
	t.Helper()
	_, text, found := strings.Cut(readReadme(t), "## A rule of counting changes\n")
	text, _, ended := strings.Cut(text, "\n## ")
	if !found || !ended {
		t.Fatal("README.md has no tutorial of a rule of counting")
	}
	for _, line := range strings.Split(text, "\n") {
		shown, indented := strings.CutPrefix(line, "    ")
		command, is := strings.CutPrefix(shown, "$ ")
		switch {
		case is:
			steps = append(steps, tutorialStep{command: command})
		case indented && len(steps) > 0:
			steps[len(steps)-1].shows = append(steps[len(steps)-1].shows, shown)
		}
	}
	return steps
}

// changedRule is the file with the rule that the tutorial changes.
const changedRule = "projections/availability.go"

// The commands of the README's tutorial show what it says that they show: those that try an option, and those that change the program.
func TestTutorial(t *testing.T) {
	folder := t.TempDir()
	writeLog(t, filepath.Join(folder, "run.events"), tutorialLog)
	rule, err := os.ReadFile(filepath.Join(root(), changedRule))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, filepath.Dir(changedRule)), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, changedRule), rule)
	if err := os.Symlink(program, filepath.Join(folder, "btda")); err != nil {
		t.Fatal(err)
	}
	steps := tutorialSteps(t)
	change := slices.IndexFunc(steps, func(s tutorialStep) bool { return strings.HasPrefix(s.command, "sed ") })
	if change < 4 || len(steps) < change+5 {
		t.Fatalf("%d steps, of which the program is changed in number %d; want more", len(steps), change+1)
	}
	if testing.Short() {
		steps = steps[:change] // building the changed program takes a while
	}
	for _, step := range steps {
		step.run(t, folder)
	}
}

// run runs a command in a folder, as a shell does.
func (s tutorialStep) run(t *testing.T, folder string) {
	t.Helper()
	command := exec.Command("sh", "-c", s.command)
	command.Dir = folder
	if strings.HasPrefix(s.command, "go build ") {
		command = buildChanged(t, s.command, folder)
	}
	got := startCommandIn(t, command).wait()
	if compares := strings.Contains(s.command, " diff ") && !strings.Contains(s.command, "--explain"); got.code == 1 != compares || got.code > 1 {
		t.Errorf("%s: exit code %d\n%s", s.command, got.code, got.stderr)
	}
	lines := strings.Split(got.stdout, "\n")
	for _, line := range s.shows {
		if !slices.Contains(lines, line) {
			t.Errorf("%s does not show\n%s\nbut\n%s%s", s.command, line, got.stdout, got.stderr)
		}
	}
}

// buildChanged is the command that builds the program with the changed file of a folder in place of the one here. What it makes lies in the
// folder.
func buildChanged(t *testing.T, line, folder string) *exec.Cmd {
	t.Helper()
	top, err := filepath.Abs(root())
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(top, changedRule): filepath.Join(folder, changedRule)}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "overlay.json")
	writeFile(t, file, overlay)
	words := strings.Fields(line)
	for i, word := range words {
		if i > 0 && words[i-1] == "-o" {
			words[i] = filepath.Join(folder, word)
		}
	}
	command := exec.Command(words[0], words[1:]...)
	command.Dir = top
	command.Env = append(os.Environ(), "GOFLAGS=-overlay="+file)
	return command
}
