package tracker

import "syscall"

// reportICMP makes a socket that is not connected tell that nobody listens on the other side, or that there is no way there.
func reportICMP(network, _ string, socket syscall.RawConn) error {
	level, option := syscall.IPPROTO_IP, syscall.IP_RECVERR
	if network == "udp6" {
		level, option = syscall.IPPROTO_IPV6, ipv6RecvErr
	}
	return socket.Control(func(descriptor uintptr) {
		_ = syscall.SetsockoptInt(int(descriptor), level, option, 1) // without it, such a request takes until its deadline
	})
}

const ipv6RecvErr = 25 // IPV6_RECVERR
