package realclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// process is a program that was started here.
type process struct {
	command *exec.Cmd
	name    string
	log     string        // file of what it prints
	ended   chan struct{} // closed once it has ended and all that it printed was taken in
}

// launch describes how a program is run.
type launch struct {
	name   string // of the log file
	path   string
	args   []string
	folder string    // its home and working directory; the log lies in it
	output io.Writer // of its standard output, instead of the log; may be nil
	// leashed tells of a program that ends when its standard input does, which is when the test ends, however that comes.
	leashed bool
}

// lifetime is after how long a program is ended that nobody has ended, because the test was killed. It is longer than any test.
const lifetime = 5 * time.Minute

// run starts a program. It is given nothing to read and knows no more of the environment than where programs and its folder are.
func (l launch) run() (*process, error) {
	p := &process{name: l.name, log: filepath.Join(l.folder, l.name+".log"), ended: make(chan struct{})}
	printed, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.command = exec.Command("timeout", append([]string{"--signal=KILL", strconv.Itoa(int(lifetime.Seconds())), l.path}, l.args...)...)
	p.command.Dir = l.folder
	p.command.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + l.folder, "LANG=C.UTF-8", "TERM=dumb"}
	p.command.Stdout, p.command.Stderr = printed, printed
	if l.output != nil {
		p.command.Stdout = l.output
	}
	p.command.SysProcAttr = ownGroup()
	if l.leashed {
		_, err = p.command.StdinPipe() // closed once it has ended
	}
	if err := errors.Join(err, p.command.Start()); err != nil {
		return nil, errors.Join(fmt.Errorf("realclient: %s: %w", l.name, err), printed.Close())
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait()
		printed.Close()
	}()
	return p, nil
}

// kill ends the process and waits until it is gone.
func (p *process) kill() {
	if !p.hasEnded() {
		_ = killGroup(p) // fails only when it has ended meanwhile
	}
	<-p.ended
}

// hasEnded tells whether the process is gone.
func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// failure says what the process printed last, beside an error.
func (p *process) failure(err error) error {
	printed, _ := os.ReadFile(p.log)
	const enough = 2000
	return fmt.Errorf("realclient: %s: %w; it printed last: %q (%s)", p.name, err, printed[max(0, len(printed)-enough):], p.log)
}

// lineWriter hands on what is written to it line by line.
type lineWriter struct {
	take func([]byte)

	mu   sync.Mutex
	rest []byte
}

// Write takes in a part of the text.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		w.take(line)
		w.rest = rest
	}
}
