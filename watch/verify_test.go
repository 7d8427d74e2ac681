package watch

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/testpki"
	"github.com/rendered/rendered/render/verify"
)

// tlsWorld is a world whose service web has a certificate, its key and another file, and a rule for
// the first two.
func tlsWorld(t *testing.T) (w *world, web *Service, told *dependent) {
	w = newWorld(t)
	told = &dependent{name: "nginx"}
	web = w.service("web", "@every 1h", []*dependent{told}, "crt", `{{ secret "crt" }}`, "key", `{{ secret "key" }}`, "conf", `{{ param "/conf" }}`)
	web.Verify = []verify.TLS{{Cert: w.path("crt"), Key: w.path("key"), Hosts: []string{"www.example.com"}, ValidFor: 72 * time.Hour}}
	w.values.set("/conf", "1")
	return w, web, told
}

// renew gives the world a certificate and its key, which it gives as well.
func (w *world) renew(lifetime time.Duration) (crt, key string) {
	p := testpki.New(testpki.Leaf(time.Now(), time.Now().Add(lifetime), "www.example.com"), nil, nil)
	w.values.set("crt", p.CertPEM())
	w.values.set("key", p.KeyPEM())
	return p.CertPEM(), p.KeyPEM()
}

func TestRefusedCertificateLeavesAllFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, told := tlsWorld(t)
		crt, key := w.renew(90 * 24 * time.Hour)
		w.start()
		w.want("crt", crt)
		newer, _ := w.renew(90 * 24 * time.Hour)
		w.values.set("key", key) // a rotation that is half done
		w.values.set("/conf", "2")
		w.after(2 * time.Hour)
		w.want("crt", crt)
		w.want("key", key)
		w.want("conf", "1")
		if told.count() != 1 {
			t.Errorf("told %d times", told.count())
		}
		if n := w.logged("level=WARN", "service=web", "file="+w.path("key"), "verify.tls.key", "hint="); n != 1 || w.logged("level=WARN") != 1 {
			t.Errorf("%d warnings:\n%s", n, w.log.String())
		}
		tries := w.values.lookups("crt")
		w.after(time.Hour)
		if n := w.values.lookups("crt") - tries; n < 11 {
			t.Errorf("%d more tries in an hour", n)
		}
		good, newKey := w.renew(90 * 24 * time.Hour)
		if good == newer {
			t.Fatal("the same certificate again")
		}
		w.after(6 * time.Minute)
		w.want("crt", good)
		w.want("key", newKey)
		w.want("conf", "2")
		if told.count() != 2 || w.logged("up to date again") != 1 {
			t.Errorf("told %d times:\n%s", told.count(), w.log.String())
		}
	})
}

// A certificate that runs out where it is keeps nothing else from changing, and nothing is said of
// it.
func TestCertificateInPlaceMayRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, web, told := tlsWorld(t)
		crt, _ := w.renew(10 * 24 * time.Hour)
		for _, f := range web.Files {
			f.Mode, f.KeepMode = 0o640, false
		}
		w.start()
		w.after(8 * 24 * time.Hour) // less than valid_for is left
		w.values.set("/conf", "2")
		w.after(time.Hour)
		w.want("conf", "2")
		w.after(3 * 24 * time.Hour) // and now nothing
		w.values.set("/conf", "3")
		if err := os.Chmod(w.path("crt"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.after(time.Hour)
		w.want("conf", "3")
		w.want("crt", crt)
		if st, err := os.Stat(w.path("crt")); err != nil || st.Mode() != 0o640 {
			t.Errorf("the mode was not put right: %v %v", st.Mode(), err)
		}
		if told.count() != 3 || w.logged("level=WARN") > 0 {
			t.Errorf("told %d times:\n%s", told.count(), w.log.String())
		}
		// A file that is gone is written anew, and then it is looked at.
		if err := os.Remove(w.path("crt")); err != nil {
			t.Fatal(err)
		}
		w.after(time.Hour)
		if n := w.logged("level=WARN", "file="+w.path("crt"), "expired on"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, w.log.String())
		}
	})
}
