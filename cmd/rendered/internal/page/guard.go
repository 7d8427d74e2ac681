package page

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// policy lets the page load what this server gives, and nothing else; nobody else may show it.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guarded has a handler answer none but those who ask this machine, from its own pages. A browser
// that an attacker's name leads here (DNS rebinding) names the attacker's host.
func guarded(hostname string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Cache-Control":                "no-store",
			"Content-Security-Policy":      policy,
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy":              "no-referrer",
			"X-Content-Type-Options":       "nosniff",
		} {
			w.Header().Set(name, value)
		}
		switch {
		case !isHere(r, hostname):
			http.Error(w, "this is not the host that is asked for; docs/operating.md says by which names it may be", http.StatusMisdirectedRequest)
		case !isOwn(r):
			http.Error(w, "pages of others may not read this one", http.StatusForbidden)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// isHere tells whether a request names this machine as its host: localhost, a loopback address, the
// address that the request came to, or the machine's name, in full or its first part. Any port will
// do: a tunnel has its own.
func isHere(r *http.Request, hostname string) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if at, err := netip.ParseAddr(host); err == nil {
		return at.Unmap().IsLoopback() || at.Unmap() == local(r)
	}
	hostname = strings.ToLower(hostname)
	first, _, _ := strings.Cut(hostname, ".")
	return host == "localhost" || host != "" && (host == hostname || host == first)
}

// local gives the address that a request came to.
func local(r *http.Request) netip.Addr {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if addr == nil {
		return netip.Addr{}
	}
	return addr.AddrPort().Addr().Unmap()
}

// isOwn tells whether a request is of no page, or of one that came from the host that it names.
func isOwn(r *http.Request) bool {
	if _, of := r.Header["Origin"]; !of {
		return true
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Host != "" && strings.EqualFold(origin.Host, r.Host)
}
