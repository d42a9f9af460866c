package recorder

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"

	"btda/events"
	"btda/recorder/session"
)

// newPeerID draws our own peer id, in the style of Azureus: client, version, random letters and digits.
func newPeerID() events.PeerID {
	var id events.PeerID
	n := copy(id[:], "-BT0200-")
	copy(id[n:], rand.Text())
	return id
}

func newRunID() events.RunID {
	var id events.RunID
	rand.Read(id[:]) // never fails
	return id
}

// program is the name and version of this program, as far as its build knows them.
func program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "btda"
	}
	text := "btda " + info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			text += " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			text += " modified"
		}
	}
	return text
}

// ownAddresses are the addresses that we are reached at: those to bind to, else those of all interfaces; each with the port that
// is announced.
func ownAddresses(bind []netip.Addr, port uint16) ([]events.Address, error) {
	local := bind
	if len(local) == 0 {
		var err error
		if local, err = interfaceAddresses(); err != nil {
			return nil, err
		}
	}
	addresses := make([]events.Address, len(local))
	for i, a := range local {
		addresses[i] = events.AddressOf(netip.AddrPortFrom(a, port))
	}
	return addresses, nil
}

// checkLocal checks that connections can be made from each address of --bind.
func checkLocal(bind []netip.Addr) error {
	for _, a := range bind {
		if err := session.CheckLocal(a); err != nil {
			problem := fmt.Sprintf("is no address that this host can connect from: want one of its own (%v)", err)
			return &SettingError{Setting: "bind", Value: a.String(), Problem: problem}
		}
	}
	return nil
}

func interfaceAddresses() ([]netip.Addr, error) {
	networks, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("the addresses of this host cannot be read: %w", err)
	}
	var addresses []netip.Addr
	for _, n := range networks {
		if p, err := netip.ParsePrefix(n.String()); err == nil {
			addresses = append(addresses, p.Addr())
		}
	}
	return addresses, nil
}
