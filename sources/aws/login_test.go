package aws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Credentials of aws login that have expired are renewed, and stored where the old ones were.
func TestLoginIsRenewed(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	held := loginToken(canary+"-old", time.Now().Add(-time.Hour), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	const remedy = "aws login --profile web  writes it"
	for name, tt := range map[string]struct {
		held, answer string
		status       int
		prepare      func(path string) error
		asked        int32
		detail       string
	}{
		"renewed": {held: held, status: 200, asked: 1, answer: `{"accessToken":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"` + canary + `-new"},"tokenType":"t","expiresIn":900,"refreshToken":"` + canary + `-next"}`},
		"denied":  {held: held, status: 403, asked: 1, answer: `{"error":"TOKEN_EXPIRED","message":"` + canary + `"}`, detail: "AWS takes the session of this login no longer"},
		"cannot be stored": {held: held, prepare: func(path string) error {
			return os.MkdirAll(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new", "x"), 0o700)
		}, detail: "the token has expired, and another cannot be stored there: is a directory"},
		"null": {held: "null", detail: "it holds no session of aws login"},
		"text": {held: canary, detail: "it holds no session of aws login"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if body, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(body), canary+"-once") || r.Header.Get("DPoP") == "" {
					t.Errorf("asked by %s, %v", body, err)
				}
				w.Header().Set("Content-Type", "application/json")
				if tt.status == 403 {
					w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.answer)
			}))
			defer server.Close()
			environment(t, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL_SIGNIN="+server.URL)
			t.Setenv("INVOCATION_ID", "")
			for _, kv := range issuers["login"].env(t, "nowhere", "") {
				name, value, _ := strings.Cut(kv, "=")
				t.Setenv(name, value)
			}
			path := tokenPath("nowhere")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, tt.held)
			if tt.prepare != nil {
				if err := tt.prepare(path); err != nil {
					t.Fatal(err)
				}
			}
			if s := open(t, Options{}); tt.detail != "" {
				wantRefused(t, s, path, "token file "+path+": "+tt.detail, remedy)
			} else {
				wantToken(t, s, canary+"-new")
				wantToken(t, open(t, Options{}), canary+"-new") // from the file
			}
			if n := asked.Load(); n != tt.asked {
				t.Errorf("asked %d times", n)
			}
			now, err := os.ReadFile(path)
			if tt.detail != "" && string(now) != tt.held || tt.detail == "" && !strings.Contains(string(now), canary+"-next") {
				t.Errorf("stored: %s, %v", now, err)
			}
		})
	}
}
