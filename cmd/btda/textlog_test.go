package main

import (
	"bytes"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"btda/recorder"
)

// Libraries write to the standard logger: that goes to the text log while it is open, and not to the terminal.
func TestTextLogTakesTheStandardLogger(t *testing.T) {
	var terminal bytes.Buffer
	before := log.Writer()
	log.SetOutput(&terminal)
	defer log.SetOutput(before)
	path := filepath.Join(t.TempDir(), "new", "a.log")
	text, err := openTextLog(&recorder.Settings{LogFile: path})
	if err != nil {
		t.Fatal(err)
	}
	log.Print("unsolicited")
	if err := text.close(); err != nil {
		t.Fatal(err)
	}
	log.Print("afterwards")
	written, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(written), "level=WARN msg=unsolicited\n") || strings.Contains(string(written), "afterwards") {
		t.Errorf("the text log holds %q, %v; want what came while it was open", written, err)
	}
	if got := terminal.String(); strings.Contains(got, "unsolicited") || !strings.Contains(got, "afterwards") {
		t.Errorf("the terminal got %q, want what came afterwards", got)
	}
}
