package format

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

func FuzzJSON(f *testing.F) {
	fuzz(f, "json", `{"a":[1,{"b":null}],"c":"\u00e9\\"}`, `[-1.5e3,true,"x"]`, "\ufeff{}")
}

func FuzzYAML(f *testing.F) {
	fuzz(f, "yaml", "a: &x [1, {b: *x}]\n---\n? [c]\n: |\n  d\n", "%YAML 1.2\n--- # c\n- !!int 1\n- \"\\/\"\n", "- - - a\n- {<<: {b: c}}\n")
}

func FuzzTOML(f *testing.F) {
	fuzz(f, "toml", "a.b = 1\n[t]\nc = [1.5, {d = 'x'}]\n[[l]]\ne = 1979-05-27T07:32:00Z\n", "s = \"\"\"\\\n a\"\"\"\"\n", "n = 0x1_F # c\r\n")
}

func FuzzINI(f *testing.F) { fuzz(f, "ini", "; c\n[a]\nb = 1\nflag\n", "[ b ] # c\n=\n") }

func FuzzDotenv(f *testing.F) {
	fuzz(f, "dotenv", "A=1\nB=\"x\ny\\\"\" \n# c\nC='z'\n", "export A=$b\n")
}

func FuzzProperties(f *testing.F) {
	fuzz(f, "properties", "# c\na=1\nb\\ c : x\\\n  y\\u00e9\n! d\r\ne\n", "\\\n#\na\\=b=\\\\\n", "k=1\n\\u006b=2\n")
}

func FuzzXML(f *testing.F) {
	fuzz(f, "xml", "<?xml version='1.0' encoding='latin1'?><p:a xmlns:p='u' p:b='&#65;'>c<!-- d --><![CDATA[e]]></p:a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>")
}

func FuzzPEM(f *testing.F) {
	fuzz(f, "pem", testCertificate(), "-----BEGIN A-----\nb: c\n\nAAAA\n-----END A-----\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----")
}

// fuzz wants a format to answer soon and in little memory, whatever the bytes, and however often
// they are repeated; it does not panic, and quotes no run of them.
func fuzz(f *testing.F, name string, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, name, data)
		if len(data) > 0 {
			bounded(t, name, []byte(fill(64<<10, string(data))))
		}
	})
}

func bounded(t *testing.T, name string, data []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	err := syntaxes[name].check(data) // what Check would recover from is a failure here
	took := time.Since(begun)
	runtime.ReadMemStats(&after)
	if took > patience*mostTime {
		t.Fatalf("%d bytes take %v", len(data), took)
	}
	if grown := after.HeapSys - before.HeapSys; after.HeapSys > before.HeapSys && grown > mostGrowth {
		t.Fatalf("%d bytes take %d MiB", len(data), grown>>20)
	}
	if err == nil {
		return
	}
	err.Format = syntaxes[name].title
	text := err.Error()
	if len(data) > 4<<10 {
		data = data[:4<<10]
	}
	for i := 0; i+12 <= len(data); i++ {
		if strings.Contains(text, string(data[i:i+12])) {
			t.Fatalf("%q quotes %q", text, data[i:i+12])
		}
	}
}
