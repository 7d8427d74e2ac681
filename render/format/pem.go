package format

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"iter"
	"strings"
)

// A private key costs what its multiplications do: half a millisecond for one of RSA with 2048
// bits, and with the cube of its length.
const (
	maxPEMWork    = 1500 // of all private keys together; see keyWork
	maxPEMHeaders = 100  // of one block
	// maxPEMBlock is how many bytes a block has whose content is checked. Go's parser of
	// certificates takes 25 for each of them.
	maxPEMBlock = 1 << 20
)

// keyWork gives what a block costs: a private key about 1.5 where it is one for RSA with 2048 bits.
func keyWork(block *pem.Block) float64 {
	if block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return 0
	}
	kib := float64(len(block.Bytes)) / 1024
	return 0.1 + kib*kib*kib
}

var pemBegin = []byte("-----BEGIN")

// Blocks gives the blocks of PEM in a text, each with the part of the text that ends with it, and
// nil with what is left behind the last.
func Blocks(text []byte) iter.Seq2[*pem.Block, []byte] {
	return func(yield func(*pem.Block, []byte) bool) {
		for {
			block, rest := pem.Decode(text)
			if block == nil {
				yield(nil, text)
				return
			}
			if !yield(block, text[:len(text)-len(rest)]) {
				return
			}
			text = rest
		}
	}
}

// checkPEM wants at least one block, and every certificate and private key in it to be one. Text
// between blocks is allowed, as openssl writes it.
func checkPEM(data []byte) *Error {
	if n := manyHeaders(data); n >= 0 {
		return limit(data, n, fmt.Sprintf("a block has more than %d headers", maxPEMHeaders))
	}
	if !bytes.Contains(data, pemBegin) {
		return at(data, 0, "there is no block")
	}
	offset, work := 0, 0.0
	for block, text := range Blocks(data) {
		begin := offset + len(text) - len(bytes.TrimLeft(text, "\r\n\t "))
		if work += keyWork(block); work > maxPEMWork {
			return limit(data, begin, "private keys up to here take too long to check, as 900 of RSA with 2048 bits do, or one with 20,000")
		}
		if n := bytes.Index(text, pemBegin); n >= 0 && (block == nil || bytes.Count(text, pemBegin) > 1) {
			return at(data, offset+n, broken(text, n))
		}
		if err := checkBlock(data, offset, begin, block, text); err != nil {
			return err
		}
		offset += len(text)
	}
	return nil
}

// checkBlock wants the block with which a text ends, which begins at an offset of the data, to be
// what its type says. Begin is where what is not blank begins.
func checkBlock(data []byte, offset, begin int, block *pem.Block, text []byte) *Error {
	if block == nil {
		return nil
	}
	if err := ofItsType(data, begin, block); err != nil {
		return err
	}
	switch {
	case block.Type == openSSH:
		return openSSHForm(data, text)
	case isOpenSSLs(block.Type):
		return openSSLForm(data, offset, text)
	}
	return nil
}

// ofItsType wants what is in a block, which begins at a byte of the data.
func ofItsType(data []byte, begin int, block *pem.Block) *Error {
	check, known := blockTypes[block.Type]
	switch {
	case !known:
		return nil
	case len(block.Bytes) > maxPEMBlock:
		return limit(data, begin, fmt.Sprintf("the block is longer than %d bytes", maxPEMBlock))
	case check(block) != nil:
		return at(data, begin, "the block is no "+strings.ToLower(block.Type))
	}
	return nil
}

const openSSH = "OPENSSH PRIVATE KEY"

// openSSHForm wants what OpenSSH reads of a key whose block ends a text of the data: its first line
// is the first of the file, and the last one has its line break, a lone line feed each (sshkey.c,
// private2_uudecode).
func openSSHForm(data, text []byte) *Error {
	const begin, end = "-----BEGIN " + openSSH + "-----\n", "\n-----END " + openSSH + "-----"
	first := bytes.Index(data, []byte(strings.TrimSuffix(begin, "\n")))
	after := bytes.Index(data, []byte(end)) + len(end)
	switch {
	case bytes.IndexByte(text, '\r') >= 0:
		return at(data, first, "OpenSSH reads no key whose lines end as on Windows, with a carriage return")
	case first > 0:
		return at(data, first, "OpenSSH reads a key only where the file begins with it")
	case !bytes.HasPrefix(data, []byte(begin)):
		return at(data, first, "OpenSSH reads a key only where its first line holds nothing more")
	case after == len(data):
		return at(data, after, "OpenSSH reads a key only where its last line ends with a line break, which is missing here; the template can end with one")
	case after < len(end) || data[after] != '\n':
		return at(data, after, "OpenSSH reads a key only where its last line holds nothing more")
	}
	return nil
}

// manyHeaders gives the first block that has too many headers, -1 where none has. The decoder makes
// a map of them.
func manyHeaders(data []byte) int {
	begin, headers := -1, 0
	offset := 0
	for line := range bytes.Lines(data) {
		switch {
		case bytes.HasPrefix(line, pemBegin):
			begin, headers = offset, 0
		case begin < 0:
		case bytes.IndexByte(line, ':') < 0:
			begin = -1
		default:
			if headers++; headers > maxPEMHeaders {
				return begin
			}
		}
		offset += len(line)
	}
	return -1
}

// broken says what a block that begins at a byte lacks.
func broken(data []byte, begin int) string {
	line := data[:begin]
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	text, _, _ := bytes.Cut(data[begin:], []byte("\n"))
	switch {
	case bytes.Contains(text, []byte(`\n`)):
		return `the block that begins here has \n in place of line breaks`
	case len(line) > 0:
		return "a block begins at the beginning of a line"
	case bytes.Contains(data[begin:], []byte("----------BEGIN")):
		return "after a block that begins here there is no line break before the next one"
	}
	return "a block that begins here is not whole"
}
