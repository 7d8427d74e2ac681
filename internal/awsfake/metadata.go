package awsfake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Metadata is the instance metadata of a virtual machine of the server's own account and Region,
// as IMDSv2 answers it: to requests with a token only. It is an http.Handler, and the server itself
// answers the paths under /latest/ with it.
//
// It holds what is asked for most: the instance, its place, addresses, identity document, tags (the
// only one is Name) and the credentials of the role web, which work with the server. What it does
// not hold is HTTP 404.
type Metadata struct {
	server *Server // whose lock guards what follows

	values  map[string]string    // by path below /latest/
	tokens  map[string]time.Time // when each ends
	given   credentialsAnswer    // the latest credentials
	renew   time.Time            // when there are to be others
	refuses bool
	hang    chan struct{} // closed when it answers again; nil while it does
	calls   map[string]int
}

const metaData = "meta-data/"

func newMetadata(s *Server) *Metadata {
	zone := s.region + "a"
	m := &Metadata{server: s, tokens: make(map[string]time.Time), calls: make(map[string]int), values: make(map[string]string)}
	for path, value := range map[string]string{
		"ami-id":                      "ami-0abcdef1234567890",
		"hostname":                    "ip-10-0-1-17." + s.region + ".compute.internal",
		"instance-id":                 "i-0123456789abcdef0",
		"instance-type":               "t4g.small",
		"local-hostname":              "ip-10-0-1-17." + s.region + ".compute.internal",
		"local-ipv4":                  "10.0.1.17",
		"mac":                         "02:29:96:8f:6a:2d",
		"placement/availability-zone": zone,
		"placement/region":            s.region,
		"services/domain":             "amazonaws.com",
		"services/partition":          "aws",
		"tags/instance/Name":          "web-1",
	} {
		m.values[metaData+path] = value
	}
	return m
}

// Metadata gives the instance metadata.
func (s *Server) Metadata() *Metadata { return s.metadata }

// Set lets the path below /latest/meta-data/ have a value: "tags/instance/Role", say.
func (m *Metadata) Set(path, value string) {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	m.values[metaData+path] = value
}

// Unset takes the path away: all tags with "tags", as on an instance that does not allow tags in
// its metadata.
func (m *Metadata) Unset(path string) {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	maps.DeleteFunc(m.values, func(have, _ string) bool {
		return have == metaData+path || strings.HasPrefix(have, metaData+path+"/")
	})
}

// Hang lets requests wait, those from now on, until the client gives up or Resume is called: so it
// is where a container is a hop too far away.
func (m *Metadata) Hang() {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	if m.hang == nil {
		m.hang = make(chan struct{})
	}
}

// Refuse breaks connections off, and with Transport refuses them, as where there is no instance
// metadata.
func (m *Metadata) Refuse() {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	m.refuses = true
}

// Resume ends Hang and Refuse.
func (m *Metadata) Resume() {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	if m.hang != nil {
		close(m.hang)
	}
	m.hang, m.refuses = nil, false
}

// Calls counts the requests by method and path: "GET /latest/meta-data/instance-id". Server.Calls
// does not.
func (m *Metadata) Calls() map[string]int {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	return maps.Clone(m.calls)
}

// serves tells whether a request is one for instance metadata.
func (*Metadata) serves(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/latest/") }

// refused tells whether connections are refused.
func (m *Metadata) refused() bool {
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	return m.refuses
}

// ServeHTTP answers one request.
func (m *Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if m.enter(r.Context(), r) != nil {
		return
	}
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/latest/")
	switch {
	case name == "api/token" && r.Method == http.MethodPut:
		m.giveToken(w, r)
	case r.Method != http.MethodGet:
		refusePage(w, http.StatusMethodNotAllowed)
	case !m.valid(r.Header.Get("X-Aws-Ec2-Metadata-Token")):
		refusePage(w, http.StatusUnauthorized)
	default:
		m.give(w, name)
	}
}

// enter counts a request and holds it up.
func (m *Metadata) enter(ctx context.Context, r *http.Request) error {
	m.server.mu.Lock()
	m.calls[r.Method+" "+r.URL.Path]++
	hang, refuses, latency := m.hang, m.refuses, m.server.latency
	m.server.mu.Unlock()
	if refuses {
		panic(http.ErrAbortHandler)
	}
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
		}
	}
	return pause(ctx, latency)
}

// giveToken answers with a token for as many seconds as asked for, six hours at most. One that came
// through a proxy gets none.
func (m *Metadata) giveToken(w http.ResponseWriter, r *http.Request) {
	const header = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	seconds, err := strconv.Atoi(r.Header.Get(header))
	switch {
	case r.Header.Get("X-Forwarded-For") != "":
		refusePage(w, http.StatusForbidden)
		return
	case err != nil || seconds < 1 || seconds > 21600:
		refusePage(w, http.StatusBadRequest)
		return
	}
	token := "AQAEA" + letters(51, "metadata", m.server.next()) + "=="
	m.tokens[token] = time.Now().Add(time.Duration(seconds) * time.Second)
	w.Header().Set(header, strconv.Itoa(seconds))
	plain(w, token)
}

func (m *Metadata) valid(token string) bool {
	ends, ok := m.tokens[token]
	return ok && time.Now().Before(ends)
}

// give answers with the value of a path, or with what is in a directory.
func (m *Metadata) give(w http.ResponseWriter, name string) {
	name = strings.TrimSuffix(name, "/")
	const roles = metaData + "iam/security-credentials"
	at := m.server.Place
	switch name {
	case roles:
		plain(w, "web")
	case roles + "/web":
		plain(w, indented(m.credentials()))
	case "dynamic/instance-identity/document":
		plain(w, indented(map[string]any{
			"accountId": at.account, "region": at.region, "availabilityZone": m.values[metaData+"placement/availability-zone"],
			"instanceId": m.values[metaData+"instance-id"], "instanceType": m.values[metaData+"instance-type"],
			"imageId": m.values[metaData+"ami-id"], "privateIp": m.values[metaData+"local-ipv4"],
			"architecture": "arm64", "version": "2017-09-30", "pendingTime": "2026-11-20T08:00:00Z",
			"billingProducts": nil, "devpayProductCodes": nil, "kernelId": nil, "marketplaceProductCodes": nil, "ramdiskId": nil,
		}))
	default:
		if value, ok := m.values[name]; ok {
			plain(w, value)
		} else if entries := m.entries(name); len(entries) > 0 {
			plain(w, strings.Join(entries, "\n"))
		} else {
			refusePage(w, http.StatusNotFound)
		}
	}
}

// entries lists a directory: its values, and its directories with a slash.
func (m *Metadata) entries(dir string) []string {
	found := make(map[string]bool)
	for _, name := range slices.Concat(slices.Collect(maps.Keys(m.values)), []string{metaData + "iam/security-credentials/web"}) {
		if rest, ok := strings.CutPrefix(name, path.Clean(dir)+"/"); ok {
			entry, _, deeper := strings.Cut(rest, "/")
			if deeper {
				entry += "/"
			}
			found[entry] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A credentialsAnswer is the credentials of the instance's role.
type credentialsAnswer struct {
	Code, LastUpdated, Type            string
	AccessKeyID                        string `json:"AccessKeyId"`
	SecretAccessKey, Token, Expiration string
}

// credentials gives the same for half of their life.
func (m *Metadata) credentials() credentialsAnswer {
	if time.Now().Before(m.renew) {
		return m.given
	}
	s, begun := m.server, time.Now()
	key, secret, given := s.open(s.instance(), 6*time.Hour)
	m.renew = begun.Add(given.expires.Sub(begun) / 2)
	m.given = credentialsAnswer{
		Code: "Success", Type: "AWS-HMAC", LastUpdated: now(time.Second).Format(time.RFC3339),
		AccessKeyID: key, SecretAccessKey: secret, Token: given.token, Expiration: given.expires.UTC().Format(time.RFC3339),
	}
	return m.given
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Server", "EC2ws")
	_, _ = io.WriteString(w, text)
}

func indented(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// refusePage answers with a page rather than with an error that a program could read, as IMDS does.
func refusePage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Server", "EC2ws")
	w.WriteHeader(status)
	title := fmt.Sprintf("%d - %s", status, http.StatusText(status))
	_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html>\n <head><title>%[1]s</title></head>\n <body><h1>%[1]s</h1></body>\n</html>\n", title)
}
