package session

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
)

// Connections from an address of ours do not use up its ports: where they go is known when the port is chosen.
func TestPortsAreChosenLate(t *testing.T) {
	for _, from := range []string{"127.0.0.1", "::1"} {
		at := netip.MustParseAddr(from)
		listener, err := ListenTCP(netip.AddrPortFrom(at, 0))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		conn, err := TCP{Bind: []netip.Addr{at}}.Dial(t.Context(), listener.Addr().(*net.TCPAddr).AddrPort())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		socket, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var late int
		if control := socket.Control(func(fd uintptr) {
			late, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort)
		}); control != nil || err != nil {
			t.Fatal(control, err)
		}
		if late != 1 || conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr() != at {
			t.Errorf("from %v: port chosen late %d, local address %v", from, late, conn.LocalAddr())
		}
	}
}
