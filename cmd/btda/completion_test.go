package main_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestShellsCompleteCommandsFlagsAndValues(t *testing.T) {
	for args, want := range map[string]string{
		"re":                          "record\treplay",
		"record --obs":                "--observe",
		"record --observe ":           "stay\tvisit\t:4",
		"record --input ":             ":16",
		"record --exclude ":           ":0",
		"record --sessions ":          ":4",
		"record --config ":            "yaml\tyml\t:8",
		"record ":                     "torrent\t:8",
		"replay ":                     ":16",
		"replay a.events --identity ": "endpoint\tip\tpeer-id\t2015\t:4",
		"replay a.events --places ":   "mmdb\t:8",
		"replay a.events --output ":   "sqlite\t:8",
		"verify ":                     ":16",
		"events ":                     ":16",
		"help ":                       "record\treplay\tverify\t:4",
		"completion ":                 "bash\tfish\tpowershell\tzsh",
	} {
		got := btda(t, append([]string{"__completeNoDesc"}, strings.Split(args, " ")...)...)
		if lines := strings.Join(strings.Fields(got.stdout), "\t"); got.code != 0 || !strings.Contains(lines, want) {
			t.Errorf("%q is completed with %q, want %q", args, lines, want)
		}
	}
}

func TestTheCompletionForBashIsAScript(t *testing.T) {
	script := btda(t, "completion", "bash")
	check := exec.Command("bash", "-n")
	check.Stdin = strings.NewReader(script.stdout)
	var said bytes.Buffer
	check.Stderr = &said
	if err := check.Run(); err != nil || script.code != 0 || !strings.Contains(script.stdout, "btda") {
		t.Errorf("%v: exit code %d, bash says %s", err, script.code, said.String())
	}
}
