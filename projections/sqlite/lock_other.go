//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package sqlite

import (
	"errors"
	"os"
)

// lock fails: here nothing tells whether the owner of a file has gone, so that none is taken for left behind.
func lock(*os.File) error { return errors.ErrUnsupported }
