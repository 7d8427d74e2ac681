package probe

import (
	"context"
	"net"
	"time"
)

// A TCP is well where connections are taken at an address.
type TCP struct {
	Address string        // HOST:PORT
	Timeout time.Duration // of one look; 0 is 5s
}

// Name gives "tcp 127.0.0.1:6432".
func (t TCP) Name() string { return named("tcp "+t.Address, t.Timeout) }

// Begin begins a series.
func (t TCP) Begin() Look { return stateless(t, t.look) }

func (t TCP) look(ctx context.Context) *Failure {
	ctx, cancel := within(ctx, t.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return unreached(ctx, err)
	}
	conn.Close()
	return nil
}
