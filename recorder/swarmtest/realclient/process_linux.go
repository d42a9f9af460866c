package realclient

import "syscall"

// endWithParent has the system end a process when the one that started it is gone, however it went.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
