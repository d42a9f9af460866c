//go:build !unix

package main

import "io"

// screenOf knows no terminals of this system.
func screenOf(io.Writer) (size screenSize, ok bool) { return size, false }
