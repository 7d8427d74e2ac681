package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

func (l *loader) readMetrics(r *reader, n *yaml.Node, where string) {
	m := &l.cfg.Metrics
	ok := r.mapping(n, where, &ofMetrics, fields{"listen": &m.Listen, "textfile": &m.Textfile, "refs": &m.Refs})
	if ok && !hasKey(n, "listen") && !hasKey(n, "textfile") {
		r.fault(n, where, "here is neither listen nor textfile, so there are no metrics", listenHint)
	}
}

const listenHint = "listen: 127.0.0.1:9464"

// parseListen parses an address to listen at. Its host is an IP address, localhost, or nothing,
// which is every address of the machine: a name would take a resolver.
func parseListen(text string) (string, *refusal) {
	host, port, err := net.SplitHostPort(text)
	if number, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || number == 0 {
		return "", refuse(fmt.Sprintf("%q is not an address with a port", short(text)), listenHint)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return "", refuse(fmt.Sprintf("%q is not an IP address of this machine", short(host)), listenHint)
	}
	return text, nil
}

// promOf reads the path of a file for the textfile collector of node_exporter.
func (r *reader) promOf(n *yaml.Node, where string) (string, bool) {
	path, ok := r.filePathOf(n, where)
	if ok && !strings.HasSuffix(path, ".prom") {
		r.fault(n, where, "node_exporter reads the files that end in .prom, and no others", "textfile: "+short(strings.TrimSuffix(n.Value, ".txt"))+".prom")
		return "", false
	}
	return path, ok
}
