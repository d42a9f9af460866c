package recorder

import (
	"net"
	"net/netip"

	"btda/events"
	"btda/recorder/utp"
)

// openUTP opens the sockets of uTP: at the port at which peers connect to us, when they may; else at any.
func (r *Recorder) openUTP() (utp.Sockets, error) {
	if r.settings.NoUTP {
		return nil, nil
	}
	o := opening{bind: r.settings.Bind, setting: "port", logger: r.deps.Logger}
	if r.settings.Passive {
		o.port = r.settings.Port
	}
	return openSockets(o, func(at netip.AddrPort) (*utp.Socket, error) {
		return utp.Open(utp.Options{Local: at, Accept: r.settings.Passive})
	})
}

// enterUTP lets sessions use the sockets. They are closed when all sessions have ended.
func (r *run) enterUTP(sockets utp.Sockets) {
	if len(sockets) > 0 {
		r.observer.UTP = sockets
	}
}

// doorsOf gives the listeners of sockets at which peers connect to us.
func (r *Recorder) doorsOf(sockets utp.Sockets) (doors []listener) {
	if !r.settings.Passive {
		return nil
	}
	for _, s := range sockets {
		l := s.Listener()
		doors = append(doors, listener{Listener: l, transport: events.UTP, address: events.AddressOf(l.Addr().(*net.UDPAddr).AddrPort())})
	}
	return doors
}
