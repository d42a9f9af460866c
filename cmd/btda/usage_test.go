package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"btda/recorder"
)

func TestWrongUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                       "which command?",
		"play":                   `no command "play"`,
		"help play":              `no command "play"`,
		"help record play":       `no command "record play"`,
		"completion":             "want a shell: bash, fish, powershell or zsh",
		"completion tcsh":        "want a shell: bash, fish, powershell or zsh",
		"record --nope":          "--nope",
		"record -x":              "unknown shorthand flag",
		"record --port":          "--port",
		"record --port 0":        "--port 0: want 1 to 65535",
		"record --port 70000":    "want a number from 1 to 65535",
		"record --sessions many": "want a number",
		"record --sessions 0":    "--sessions 0",
		"record --timeout 6":     "want a number with a unit",
		"record --timeout -1s":   "--timeout -1s",
		"record --threshold 2":   "0.98",
		"record --threshold 0":   "--threshold 0",
		"record --bind here":     "want an address",
		"record --bind 127.0.0.2 --bind ::1 --bind 127.0.0.3": "same family",
		"record --observe watch":                              "stay or visit",
		"record --max-messages 7":                             "--observe visit",
		"record --events a --output b":                        "use one of them",
		"record --calibrate --timeout 6s":                     "--timeout 6s: is not the 30s of --calibrate",
		"record --calibrate --observe stay":                   "--observe stay",
		"record --min-free 1x":                                "want a number of bytes",
		"record --network-dial-rate 0":                        "--network-dial-rate 0",
		"record --active=perhaps":                             "true or false",
		"record --active=false":                               "--passive",
		"verify":                                              "want the folders of one log or more",
		"verify a --rows -1":                                  "--rows -1",
		"diff a":                                              "want two results to compare, got 1",
		"diff a b c":                                          "logs come with --explain",
		"diff a b --explain download:1":                       "needs the folders of the logs",
		"diff a b c --explain failure:1":                      "want a table and an id",
		"diff a b --rows -1":                                  "--rows -1",
		"events":                                              "want the folder of one log",
		"events a --follow":                                   "--follow",
		"replay":                                              "want the folders",
		"replay a b":                                          "-o FILE.sqlite",
		"replay a --identity name":                            "endpoint, ip, peer-id, 2015",
		"replay a --threshold 0":                              "want more than 0",
		"replay a --threshold most":                           "--threshold most",
		"replay a --threshold 0.9,0":                          "--threshold 0: want more than 0",
		"replay a --threshold 0.9 --threshold 2":              "--threshold 2",
		"replay a --settle 2":                                 "--settle",
		"replay a --settle -2s":                               "--settle -2s",
		"replay a --until noon":                               "--until \"noon\"",
		"replay a --until 0":                                  "numbered from 1",
		"replay a --until 2026-01-31 --until 2026-01-30":      "a time was given before",
		"replay a --from 17":                                  "--from \"17\"",
		"replay a --torrent cats":                             "want an info hash",
		"replay a --torrent " + strings.Repeat("ab", 21):      "want an info hash",
		"replay a --source friends":                           "want one of tracker, incoming, dht",
	} {
		t.Run(args, func(t *testing.T) {
			got := btda(t, strings.Fields(args)...)
			if got.code != 2 || !strings.Contains(got.stderr, want) || !strings.Contains(got.stderr, "--help") || got.stdout != "" {
				t.Errorf("exit code %d, want 2 and %q:\n%s%s", got.code, want, got.stdout, got.stderr)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "sub", "broken.torrent")
	if err := os.MkdirAll(filepath.Dir(broken), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, []byte("d4:info"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no input folder":      {[]string{"record"}, []string{"no folder input", "btda record FILE.torrent"}},
		"only a broken file":   {[]string{"record", "--input", dir}, []string{"skipped sub/broken.torrent", "bencode", "no torrent to record"}},
		"broken file by name":  {[]string{"record", broken}, []string{broken}},
		"missing file by name": {[]string{"record", "missing.torrent"}, []string{"missing.torrent", "name .torrent files that can be read"}},
		"events of no log":     {[]string{"events", "missing.events"}, []string{"missing.events", "name a folder that btda record wrote"}},
		"events of a file":     {[]string{"events", broken}, []string{broken, "name a folder that btda record wrote"}},
		"verify no log":        {[]string{"verify", "missing.events"}, []string{"missing.events"}},
		"verify of two, none":  {[]string{"verify", "missing.events", "none.sqlite"}, []string{"missing.events", "none.sqlite"}},
		"diff of nothing":      {[]string{"diff", "missing.sqlite", broken}, []string{"missing.sqlite"}},
		"diff of no results":   {[]string{"diff", broken, broken}, []string{broken, "no SQLite database"}},
		"no such SQL":          {[]string{"replay", "missing.events", "--sql", "missing.sql"}, []string{"missing.sql"}},
		"replay no log":        {[]string{"replay", "missing.events"}, []string{"missing.events"}},
		"no such places":       {[]string{"replay", "missing.events", "--places", "missing.mmdb"}, []string{"missing.mmdb", "--places"}},
		"places that are none": {[]string{"replay", "missing.events", "--places", broken}, []string{broken, "geolocation"}},
		"no such input folder": {[]string{"replay", "missing.events", "--input", "nowhere"}, []string{"nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := btda(t, c.args...)
			if strings.Contains(got.stderr, "places are NULL") {
				t.Errorf("a failure comes with advice on something else:\n%s", got.stderr)
			}
			if got.code != 1 || got.stdout != "" {
				t.Errorf("exit code %d, want 1; standard output %q", got.code, got.stdout)
			}
			for _, want := range c.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("standard error has no %q:\n%s", want, got.stderr)
				}
			}
		})
	}
}

func TestHelpListsEverySetting(t *testing.T) {
	got := btda(t, "record", "--help")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	settings := recorder.DefaultSettings()
	defaults := make(map[string]string)
	for _, s := range settings.Configuration() {
		defaults[s.Name] = s.Value
	}
	for _, f := range settings.Fields() {
		line := regexp.MustCompile(`(?m)^ +(-\w, )?--` + f.Name + `\b.*$`).FindString(got.stdout)
		_, shown, _ := strings.Cut(line, "(default ")
		switch value := defaults[f.Name]; {
		case line == "" || shown == "" || !strings.Contains(line, f.Help):
			t.Errorf("--%s: want its help and default, got %q", f.Name, line)
		case value == "" && !strings.HasPrefix(shown, "none; "), value == "false" && !strings.HasPrefix(shown, "off; "), value != "" && value != "false" && !strings.HasPrefix(shown, value):
			t.Errorf("--%s: want the default %q, got %q", f.Name, value, line)
		case !strings.HasSuffix(shown, "; "+variableOf(f.Name)+")"):
			t.Errorf("--%s: want its variable, got %q", f.Name, line)
		case f.Unit != "" && !strings.Contains(line, f.Unit):
			t.Errorf("--%s: want the unit %q, got %q", f.Name, f.Unit, line)
		case f.Short != "" && !strings.Contains(line, "-"+f.Short+", --"):
			t.Errorf("--%s: want the short form -%s, got %q", f.Name, f.Short, line)
		}
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	whole := btda(t, "--help")
	for _, command := range []string{"record", "replay", "verify", "diff", "events"} {
		if !strings.Contains(whole.stdout, "\n  "+command+" ") {
			t.Errorf("btda --help does not list %s:\n%s", command, whole.stdout)
		}
		if got := btda(t, command, "--help"); got.code != 0 || !strings.Contains(got.stdout, "btda "+command) {
			t.Errorf("btda %s --help: exit code %d\n%s", command, got.code, got.stdout)
		}
	}
}
