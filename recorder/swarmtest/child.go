package swarmtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
)

// childPart is the environment variable that tells a copy of a test program which part to play.
const childPart = "BTDA_TEST_CHILD"

// PlayChild plays the part for which StartChild started this process, if it did, and then ends it. It is the first thing that TestMain does. A
// part prints a first line when it is ready, and lasts until standard input ends.
func PlayChild(parts map[string]func() error) {
	part, ok := os.LookupEnv(childPart)
	if !ok {
		return
	}
	play := parts[part]
	if play == nil {
		play = func() error { return fmt.Errorf("no part %q in this test program", part) }
	}
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Child is a copy of the running test program that plays a part, so that what is measured in a test is without it.
type Child struct {
	First string         // line of its output
	Lines *bufio.Scanner // the others

	command *exec.Cmd
	input   io.Closer
}

// StartChild starts a copy of the running test program, and waits until it is ready. The caller closes it.
func StartChild(part string) (*Child, error) {
	c := &Child{command: exec.Command(os.Args[0], "-test.run", "^$")} // no test, if it were to play none
	c.command.Env = append(os.Environ(), childPart+"="+part)
	c.command.Stderr = os.Stderr
	output, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.input, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	c.Lines = bufio.NewScanner(output)
	if !c.Lines.Scan() {
		return nil, errors.Join(fmt.Errorf("the child that plays %q ended before it was ready", part), c.Close())
	}
	c.First = c.Lines.Text()
	return c, nil
}

// Close ends the child and waits for it.
func (c *Child) Close() error {
	c.input.Close()
	return c.command.Wait()
}

// Port is what the first line of a child that serves Peers says.
func (c *Child) Port() (uint16, error) {
	port, err := strconv.ParseUint(c.First, 10, 16)
	return uint16(port), err
}

// Peers are scripted peers, each at an address of its own.
type Peers struct {
	Says  []byte // once a handshake has come
	Leave bool   // then, instead of staying until the other side hangs up
}

// Serve serves one port of all loopback addresses of IPv4 until standard input ends: the part of a child.
func (p Peers) Serve() error {
	l, err := net.Listen("tcp4", netip.AddrPortFrom(netip.IPv4Unspecified(), 0).String())
	if err != nil {
		return err
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		l.Close()
	}()
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		go p.serve(conn)
	}
}

// handshakeSize is the size of a handshake in bytes (BEP 3).
const handshakeSize = 68

func (p Peers) serve(conn net.Conn) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, handshakeSize)); err != nil {
		return
	}
	if _, err := conn.Write(p.Says); err != nil {
		return
	}
	if p.Leave {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}
