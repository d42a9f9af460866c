package main_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"btda/recorder"
)

// place is a working folder with a configuration file, and an environment.
type place struct {
	file        string // content of btda.yaml; empty is none
	environment []string
}

// btda runs the program there.
func (p place) btda(t *testing.T, args ...string) ended {
	t.Helper()
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), p.environment...)
	command.Dir = t.TempDir()
	if p.file != "" {
		writeFile(t, filepath.Join(command.Dir, "btda.yaml"), []byte(p.file))
	}
	return startCommandIn(t, command).wait()
}

// variableOf is the environment variable of a setting.
func variableOf(setting string) string {
	return "BTDA_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// configurationOf gives the settings in force of a recorded log.
func configurationOf(t *testing.T, log string) map[string]string {
	t.Helper()
	settings := make(map[string]string)
	for _, s := range eventsOf(t, log)[0].Event["configuration"].([]any) {
		pair := s.(map[string]any)
		settings[pair["name"].(string)] = pair["value"].(string)
	}
	return settings
}

func TestSettingsComeFromFlagThenEnvironmentThenFile(t *testing.T) {
	tr := startTracker(t)
	tr.answerAll()
	torrent, log := writeTorrent(t, tr), filepath.Join(t.TempDir(), "run.events")
	p := place{
		file:        "# a comment\nport: 16001\nsessions: 11\ndial-rate: 21\nbind: [127.0.0.4, '::1']\nthreshold: 0.90\ntimeout: 3s\nobserve: visit\ndebug: true\nmin-free: 1M\n",
		environment: []string{"BTDA_SESSIONS=12", "BTDA_DIAL_RATE=22", "BTDA_BIND=127.0.0.5,::1", "BTDA_EXCLUDE=", "BTDA_PASSIVE=false"},
	}
	got := p.btda(t, "record", "--events", log, "--duration", "200ms", "--dial-rate", "23", torrent)
	if got.code != 0 {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	settings := configurationOf(t, log)
	for name, want := range map[string]string{
		"port": "16001", "sessions": "12", "dial-rate": "23", "bind": "127.0.0.5,::1", "threshold": "0.9", "timeout": "3s", "observe": "visit",
		"debug": "true", "min-free": "1M", "revisit": "5m0s", "exclude": "", "passive": "false",
	} {
		if settings[name] != want {
			t.Errorf("%s is %q, want %q", name, settings[name], want)
		}
	}
	for _, f := range new(recorder.Settings).Fields() {
		if _, known := settings[f.Name]; !known {
			t.Errorf("RunStarted does not have %s", f.Name)
		}
	}
}

// Each setting can be set in each way: a value of its own default is taken.
func TestEverySettingHasAVariableAndAKey(t *testing.T) {
	p := place{}
	for _, s := range recorder.DefaultSettings().Configuration() {
		if s.Value == "" {
			continue
		}
		p.environment = append(p.environment, variableOf(s.Name)+"="+s.Value)
		p.file += s.Name + ": " + s.Value + "\n"
	}
	for name, p := range map[string]place{"environment": {environment: p.environment}, "file": {file: p.file}} {
		if got := p.btda(t, "record", "--active", "--input", "nowhere"); got.code != 1 || !strings.Contains(got.stderr, "nowhere") {
			t.Errorf("all settings from the %s: exit code %d, want 1 because of the input folder\n%s", name, got.code, got.stderr)
		}
	}
}

func TestMistakesInSettingsAreNamedWithTheirPlace(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "else.yaml")
	writeFile(t, elsewhere, []byte("port: 0\n"))
	for name, c := range map[string]struct {
		place
		args []string
		want []string
	}{
		"variable of no setting": {place{environment: []string{"BTDA_PORTS=1"}}, nil, []string{"BTDA_PORTS", "BTDA_PORT"}},
		"bad variable":           {place{environment: []string{"BTDA_PORT=x"}}, nil, []string{`BTDA_PORT "x": want a number`}},
		"wrong variable":         {place{environment: []string{"BTDA_SESSIONS=0"}}, nil, []string{"BTDA_SESSIONS 0: want 1 to"}},
		"key of no setting":      {place{file: "port: 1\nports: 2\n"}, nil, []string{"btda.yaml:2: ports: there is no such setting"}},
		"bad key":                {place{file: "timeout: 6\n"}, nil, []string{`btda.yaml:1: timeout "6": want a number with a unit`}},
		"wrong key":              {place{file: "\nport: 0\n"}, nil, []string{"btda.yaml:2: port 0: want 1 to 65535"}},
		"key twice":              {place{file: "port: 1\nport: 2\n"}, nil, []string{"btda.yaml:2: port: is there twice"}},
		"key without value":      {place{file: "port:\n"}, nil, []string{"btda.yaml:1: port: want a value"}},
		"mapping as value":       {place{file: "port: {a: b}\n"}, nil, []string{"btda.yaml:1: port: want a value"}},
		"alias":                  {place{file: "port: &a 1\nsessions: *a\n"}, nil, []string{"btda.yaml:2: sessions: want a value"}},
		"list as value":          {place{file: "port: [1, 2]\n"}, nil, []string{`btda.yaml:1: port "1,2": want a number`}},
		"no mapping":             {place{file: "- port\n"}, nil, []string{"btda.yaml:1: want a line for each setting"}},
		"no YAML":                {place{file: "port: [\n"}, nil, []string{"btda.yaml: yaml: line 1"}},
		"two documents":          {place{file: "port: 1\n---\nport: 2\n"}, nil, []string{"btda.yaml: want one document"}},
		"several":                {place{file: "ports: 1\nport: x\n", environment: []string{"BTDA_X=1", "BTDA_SESSIONS=x"}}, nil, []string{"ports", `port "x"`, "BTDA_X ", "BTDA_SESSIONS"}},
		"another file":           {place{file: "port: 1\n"}, []string{"--config", elsewhere}, []string{elsewhere + ":1: port 0"}},
		"another file by name":   {place{environment: []string{"BTDA_CONFIG=" + elsewhere}}, nil, []string{elsewhere + ":1: port 0"}},
		"contradiction":          {place{file: "timeout: 10s\n", environment: []string{"BTDA_CALIBRATE=true"}}, nil, []string{"btda.yaml:1: timeout 10s: is not the 30s of --calibrate"}},
		"nothing to do":          {place{file: "active: false\n"}, nil, []string{"btda.yaml:1: active false: nothing is left to do"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.btda(t, append([]string{"record"}, c.args...)...)
			if got.code != 2 || got.stdout != "" {
				t.Errorf("exit code %d, want 2; standard output %q", got.code, got.stdout)
			}
			for _, want := range c.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("standard error has no %q:\n%s", want, got.stderr)
				}
			}
		})
	}
}

func TestAConfigurationFileThatIsNotThere(t *testing.T) {
	if got := (place{}).btda(t, "record", "--config", "nowhere.yaml"); got.code != 1 || !strings.Contains(got.stderr, "nowhere.yaml") {
		t.Errorf("exit code %d, want 1 and the file named\n%s", got.code, got.stderr)
	}
	if got := (place{file: "# nothing\n"}).btda(t, "record"); got.code != 1 || !strings.Contains(got.stderr, "no folder input") {
		t.Errorf("with an empty file: exit code %d, want 1 because of the input folder\n%s", got.code, got.stderr)
	}
}

// What could be read without end is not read at all: neither a file that is there by chance, nor one that was named.
func TestFilesThatAreNoneAreNotReadForSettings(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, large, nil)
	if err := os.Truncate(large, 1<<30); err != nil {
		t.Fatal(err)
	}
	torrent := writeTorrent(t, startTracker(t))
	for _, setting := range []string{"--config", "--exclude"} {
		for path, want := range map[string]string{pipe: "no regular file", "/dev/zero": "no regular file", dir: "no regular file", large: "larger than"} {
			if got := btda(t, "record", setting, path, torrent); got.code < 1 || !strings.Contains(got.stderr, path+": "+want) {
				t.Errorf("%s %s: exit code %d, want 1 or 2 and %q\n%s", setting, path, got.code, want, got.stderr)
			}
		}
	}
	command := exec.Command(program, "record", torrent)
	command.Dir = t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(command.Dir, "btda.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := startCommandIn(t, command).wait(); got.code != 1 || !strings.Contains(got.stderr, "btda.yaml: no regular file") {
		t.Errorf("exit code %d, want 1\n%s", got.code, got.stderr)
	}
}

// Variables that tell tests what to do are no mistakes in a recording that a test begins.
func TestVariablesOfTestsArePassedOver(t *testing.T) {
	var p place
	for _, variable := range slices.Sorted(maps.Keys(testVariables(t))) {
		p.environment = append(p.environment, variable+"=1")
	}
	if got := p.btda(t, "record"); len(p.environment) < 3 || got.code != 1 {
		t.Errorf("exit code %d with %q, want 1 because of the input folder\n%s", got.code, p.environment, got.stderr)
	}
}
