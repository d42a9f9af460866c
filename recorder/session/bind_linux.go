package session

import "syscall"

// bindAddressNoPort is IP_BIND_ADDRESS_NO_PORT of Linux, which package syscall does not name.
const bindAddressNoPort = 24

// bindLate lets the system choose the port of a socket that is bound to an address when it connects, and no sooner. Before, it does not know
// where to: then each port serves one connection only, and with thousands of them looking for a free one takes most of the time. Where it
// fails, the port is chosen at once.
func bindLate(_, _ string, socket syscall.RawConn) error {
	return socket.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
	})
}
