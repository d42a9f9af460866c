//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// childPath names the file that a child process of a test writes.
const childPath = "BTDA_TEST_SQLITE_CHILD"

// TestMain is also the child process of the test of a full disk: it writes a file under a limit that the parent chose.
func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		os.Exit(writeLimited(path))
	}
	os.Exit(m.Run())
}

// writeLimited writes more than the file size limit allows: to a program a write beyond the limit fails much as one to a full disk does.
func writeLimited(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println("cannot set the limit:", err)
		return 1
	}
	fmt.Println(write(context.Background(), path, manyScrapes(100_000)))
	return 0
}

func TestFullDiskKeepsTheOldFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "result.sqlite")
	mustWrite(t, path, manyScrapes(10))
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+path)
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if !strings.Contains(string(output), syscall.EFBIG.Error()) {
		t.Errorf("error %q, want the one of the system: %v", output, syscall.EFBIG)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the old file changed, or cannot be read: %v", err)
	}
	if got := names(t, folder); !slices.Equal(got, []string{"result.sqlite"}) {
		t.Errorf("the folder holds %v, want only the old file", got)
	}
	t.Logf("the child says: %s", output)
}
