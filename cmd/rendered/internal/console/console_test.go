package console

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

// A line of the log in JSON is JSON, whatever a command printed.
func TestLogInJSON(t *testing.T) {
	var said strings.Builder
	for r := range rune(0x3000) {
		said.WriteRune(r)
	}
	said.WriteString("\U0001f600\U000e0001")
	var out strings.Builder
	NewLog(New(&out, new(Colors), nil), "json", slog.LevelInfo).Info("output", "text", said.String()+"\xff")
	var line struct{ Text string }
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil || line.Text != said.String()+"\ufffd" {
		t.Errorf("%v: %q", err, line.Text)
	}
	if strings.ContainsAny(out.String(), "\x1b\x7f\u009b\u202e\U000e0001") {
		t.Error("it directs a terminal")
	}
}
