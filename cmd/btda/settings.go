package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"btda/events/pieces"
	"btda/recorder"
	"btda/recorder/session"
)

// addSettings gives each setting a flag, with its unit as the name of the value, and its default and variable in the help.
func addSettings(flags *pflag.FlagSet, s *recorder.Settings) {
	for _, field := range s.Fields() {
		value := &settingValue{field}
		flag := flags.VarPF(value, field.Name, field.Short, "")
		if value.isSwitch() {
			flag.NoOptDefVal = "true"
		}
		flag.Usage = fmt.Sprintf("%s (default %s; %s)", field.Help, value.defaultText(), variableOf(field.Name))
		flag.DefValue = "" // it stands in the text, because pflag leaves out those that are empty or 0
	}
}

// settingValue is a setting as a flag.
type settingValue struct{ recorder.Field }

// Type gives what help shows as the name of the value: its unit, where that is one word.
func (v *settingValue) Type() string {
	switch {
	case v.isSwitch():
		return "bool" // pflag shows no value then
	case v.hasPhrase():
		return "number"
	}
	return v.Unit
}

// hasPhrase says whether the unit is one that follows a number, such as "of all pieces".
func (v *settingValue) hasPhrase() bool { return strings.Contains(v.Unit, " ") }

func (v *settingValue) isSwitch() bool {
	_, ok := v.Value.(*bool)
	return ok
}

func (v *settingValue) isList() bool {
	switch v.Value.(type) {
	case *[]netip.Addr, *[]string:
		return true
	}
	return false
}

func (v *settingValue) defaultText() string {
	switch text := v.String(); {
	case v.isSwitch():
		return map[string]string{"true": "on", "false": "off"}[text]
	case text == "":
		return "none"
	case v.hasPhrase():
		return text + " " + v.Unit
	default:
		return text
	}
}

// String gives the value as RunStarted stores it.
func (v *settingValue) String() string { return v.Text() }

// Set reads the value. Lists grow by one with each call.
func (v *settingValue) Set(text string) error {
	switch to := v.Value.(type) {
	case *string:
		*to = text
	case *recorder.Observe:
		*to = recorder.Observe(text) // Validate knows which there are
	case *session.Encryption:
		*to = session.Encryption(text) // likewise
	case *bool:
		return parseInto(to, text, strconv.ParseBool, "want true or false")
	case *int:
		return parseInto(to, text, strconv.Atoi, "want a number")
	case *uint16:
		return parseInto(to, text, parsePort, "want a number from 1 to 65535")
	case *time.Duration:
		return parseInto(to, text, time.ParseDuration, "want a number with a unit, such as 500ms, 6s, 5m or 34h")
	case *recorder.ByteSize:
		return parseInto(to, text, recorder.ParseByteSize, "want a number of bytes, such as 500M or 2G")
	case *pieces.Fraction:
		return to.Set(text)
	case *[]string:
		*to = append(*to, text)
	case *[]netip.Addr:
		var a netip.Addr
		err := parseInto(&a, text, netip.ParseAddr, "want an address, such as 192.0.2.7 or 2001:db8::7")
		*to = append(*to, a)
		return err
	default:
		return fmt.Errorf("no flag can hold a %T", to)
	}
	return nil
}

// parseInto reads a value. The error is in our words, because those of the standard library name functions.
func parseInto[T any](to *T, text string, parse func(string) (T, error), wanted string) error {
	value, err := parse(text)
	if err != nil {
		return errors.New(wanted)
	}
	*to = value
	return nil
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err
}
