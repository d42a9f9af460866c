//go:build unix

package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// screenOf gives the size of the terminal that out writes to; ok is false where out is none.
func screenOf(out io.Writer) (size screenSize, ok bool) {
	file, isFile := out.(*os.File)
	if !isFile || os.Getenv("TERM") == "dumb" {
		return size, false
	}
	window, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return size, false
	}
	return screenSize{columns: int(window.Col), rows: int(window.Row)}, true
}
