//go:build !unix

package realclient

import "syscall"

// ownGroup is for Unix only, as are the clients.
func ownGroup() *syscall.SysProcAttr { return nil }

// killGroup ends a process.
func killGroup(p *process) error { return p.command.Process.Kill() }
