package funcs

import (
	"strings"
	"unicode"
)

// Programs that read files of NAME=value by themselves have rules of their own, which are not those
// of sh and systemd. What is written here was read back by python-dotenv 0.21 and 1.2, by node 20,
// and by the code of Docker Compose 2 and Docker 29.

// dotenvQuote writes one value so that python-dotenv, node's --env-file and Docker Compose read the
// same: between single quotes, where it has a ' between double quotes, and where it has both
// without any. What one of them reads otherwise is refused.
func dotenvQuote(value any) (string, error) {
	text, err := without("dotenvQuote", value, "\x00", "a value of the environment holds no zero byte")
	switch {
	case err != nil || isSafe(text):
		return text, err
	case strings.Contains(text, "\r"):
		return "", Error("dotenvQuote: python-dotenv takes a carriage return for a line break, and node has no other way to write one")
	case strings.Contains(text, "${"):
		return "", Error("dotenvQuote: python-dotenv takes ${ for a variable, and what hides it from Compose the others do not know")
	case strings.Contains(text, `\\`), strings.HasSuffix(text, `\`):
		return "", Error(`dotenvQuote: two \ in a row, and one at the end, are read by each of python-dotenv, node and Compose in another way`)
	case !strings.Contains(text, "'"):
		return "'" + text + "'", nil
	case strings.ContainsAny(text, `\$`):
		return "", Error(`dotenvQuote: beside a ' python-dotenv, node and Compose share no way to write a \ or $`)
	case !strings.Contains(text, `"`):
		return `"` + text + `"`, nil
	case isBareEnv(text):
		return text, nil
	}
	return "", Error(`dotenvQuote: a text with both ' and " is read alike without quotes alone: on one line, without #, with no quote before all else and no blank at either end`)
}

// isBareEnv reports that all of them read a text as it is, without quotes.
func isBareEnv(text string) bool {
	return !strings.Contains(text, "#") && !strings.ContainsFunc(text, unicode.IsControl) && strings.TrimSpace(text) == text && !strings.ContainsAny(text[:1], "\"'`")
}

// maxDockerValue is how long a value may be. docker reads no line of 64 KiB, name included
// (bufio.MaxScanTokenSize).
const maxDockerValue = 60_000

// dockerEnvQuote gives one value as it is where docker run --env-file can read it: all that stands
// behind the = up to the end of the line.
func dockerEnvQuote(value any) (string, error) {
	text, err := without("dockerEnvQuote", value, "\n\r\x00", "a file for docker's --env-file has no way to write a line break or a zero byte")
	if len(text) > maxDockerValue {
		err = failf("dockerEnvQuote: this is longer than %d bytes, and docker reads no line of 64 KiB", maxDockerValue)
	}
	return text, err
}

// dockerEnv writes a whole map as NAME=value lines, sorted, for docker run --env-file. The names
// are those of dotenv.
func dockerEnv(m any) (string, error) { return lines("dockerEnv", m, dockerEnvQuote, asVariable) }

// dockerEnvAsIs is dockerEnv with the keys as they are.
func dockerEnvAsIs(m any) (string, error) { return lines("dockerEnvAsIs", m, dockerEnvQuote, asItIs) }
