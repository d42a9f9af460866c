//go:build !linux

package session

import "syscall"

// bindLate does nothing: only Linux needs it.
func bindLate(string, string, syscall.RawConn) error { return nil }
