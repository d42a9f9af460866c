//go:build !linux

package realclient

import "syscall"

// endWithParent is for Linux only.
func endWithParent() *syscall.SysProcAttr { return nil }
