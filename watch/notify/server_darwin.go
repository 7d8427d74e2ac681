package notify

import (
	"errors"
	"net"
)

// listener is not known here.
func listener(net.Conn) (reader, error) { return reader{}, errors.ErrUnsupported }
