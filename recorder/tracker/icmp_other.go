//go:build !linux

package tracker

import "syscall"

// reportICMP does nothing: without a connected socket, other systems do not tell that nobody listens on the other side.
func reportICMP(_, _ string, _ syscall.RawConn) error { return nil }
