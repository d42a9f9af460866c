//go:build unix

package realclient

import "syscall"

// ownGroup puts a process into a group of its own, together with what it starts.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends a process and its group.
func killGroup(p *process) error { return syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) }
