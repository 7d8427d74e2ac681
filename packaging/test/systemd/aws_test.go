package systemd_test

import (
	"net/http"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

const (
	endpoint = "127.0.0.1:4566"
	metadata = "169.254.169.254"
	region   = "eu-west-1"
)

// A cloud is AWS, as a machine sees it: an endpoint on loopback, the metadata of the instance where
// it always is, a queue of change notices.
type cloud struct {
	*awsfake.Server
	queue    string   // its URL
	canaries []string // what must not be seen anywhere but in the files
	serving  []*http.Server
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{Server: awsfake.New(awsfake.Region(region))}
	c.queue = c.MakeQueue("rendered-web-1")
	c.Notify(c.queue, awsfake.SNS)
	t.Cleanup(c.away)
	return c
}

// reach lets a machine reach AWS, from now on until it is off or AWS is away.
func (c *cloud) reach(m *machine) {
	m.t.Helper()
	m.must("ip", "address", "replace", metadata+"/32", "dev", "lo")
	for _, address := range []string{endpoint, metadata + ":80"} {
		l, err := m.listen(address)
		if err != nil {
			m.t.Fatal(err)
		}
		s := &http.Server{Handler: c.Server}
		c.serving = append(c.serving, s)
		go s.Serve(l)
	}
}

// away refuses all connections, and breaks off those that there are.
func (c *cloud) away() {
	for _, s := range c.serving {
		s.Close()
	}
	c.serving = nil
}
