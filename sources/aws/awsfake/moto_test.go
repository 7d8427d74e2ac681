package awsfake_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

// startMoto runs moto_server on loopback until the test ends and gives its endpoint.
func startMoto(t *testing.T) string {
	t.Helper()
	path := tool(t, "moto_server")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 3 { // the free port may be taken by another in the meantime
		if url, ok := tryMoto(ctx, t, path, freePort(t)); ok {
			return url
		}
	}
	t.Fatal("moto_server does not start")
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// tryMoto is false where moto ends before it listens.
func tryMoto(ctx context.Context, t *testing.T, path, port string) (url string, ok bool) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, "-H", "127.0.0.1", "-p", port)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	t.Cleanup(func() { <-gone })
	url = "http://127.0.0.1:" + port
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-gone:
			t.Logf("moto_server ended:\n%s", &output)
			return "", false
		case <-ctx.Done():
			t.Fatal("moto_server does not answer")
		case <-poll.C:
			if ready(ctx, url+"/moto-api/") {
				return url, true
			}
		}
	}
}

func ready(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
