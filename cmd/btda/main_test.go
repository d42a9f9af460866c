package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should come soon.
const patience = 30 * time.Second

// program is the built btda.
var program string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "btda")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "btda")
	if output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build btda: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// ended is what a run of btda left.
type ended struct {
	code           int
	stdout, stderr string
	duration       time.Duration
}

// btda runs the program in an empty folder until it ends.
func btda(t *testing.T, args ...string) ended {
	t.Helper()
	return start(t, args...).wait()
}

// running is a btda that has not ended.
type running struct {
	t       *testing.T
	command *exec.Cmd
	begun   time.Time
	pipes   [2]*os.File // our ends of standard output and error
	stdout  *watched
	stderr  *watched
	reading sync.WaitGroup
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	return startCommand(t, exec.Command(program, args...))
}

// startCommand runs a command in an empty folder.
func startCommand(t *testing.T, command *exec.Cmd) *running {
	t.Helper()
	command.Dir = t.TempDir()
	return startCommandIn(t, command)
}

// startCommandIn runs a command in its folder.
func startCommandIn(t *testing.T, command *exec.Cmd) *running {
	t.Helper()
	r := &running{t: t, command: command, begun: time.Now(), stdout: newWatched(), stderr: newWatched()}
	stdout, stderr := r.pipe(0, r.stdout), r.pipe(1, r.stderr)
	r.command.Stdout, r.command.Stderr = stdout, stderr
	err := r.command.Start()
	if err := errors.Join(err, stdout.Close(), stderr.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.command.Process.Kill() })
	return r
}

// pipe gives an end to write to; what comes out of the other goes into w.
func (r *running) pipe(number int, w io.Writer) *os.File {
	r.t.Helper()
	from, to, err := os.Pipe()
	if err != nil {
		r.t.Fatal(err)
	}
	r.pipes[number] = from
	r.reading.Go(func() { _, _ = io.Copy(w, from) })
	return to
}

// closeOutput stops reading, as a program does that our output is piped to and that has ended.
func (r *running) closeOutput() {
	for _, p := range r.pipes {
		p.Close()
	}
}

// signal sends a signal and gives the time at which it was sent.
func (r *running) signal(s syscall.Signal) time.Time {
	r.t.Helper()
	if err := r.command.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
	return time.Now()
}

// wait waits for the end.
func (r *running) wait() ended {
	r.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = r.command.Process.Signal(syscall.SIGQUIT) })
	defer timer.Stop()
	err := r.command.Wait()
	r.reading.Wait()
	r.closeOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return ended{r.command.ProcessState.ExitCode(), r.stdout.text(), r.stderr.text(), time.Since(r.begun)}
}

// awaitLine waits for a line on standard error that has a part.
func (r *running) awaitLine(part string) {
	r.t.Helper()
	timeout := time.After(patience)
	for {
		text, changed := r.stderr.look()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			r.t.Fatalf("no line with %q came; standard error:\n%s", part, text)
		}
	}
}

// watched keeps what is written and tells when it grows.
type watched struct {
	mu      sync.Mutex
	written bytes.Buffer
	changed chan struct{}
}

func newWatched() *watched { return &watched{changed: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
	return w.written.Write(p)
}

func (w *watched) look() (text string, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.String(), w.changed
}

func (w *watched) text() string {
	text, _ := w.look()
	return text
}

// lastLine gives the last line of a text.
func lastLine(text string) string {
	var last string
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		last = lines.Text()
	}
	return last
}
