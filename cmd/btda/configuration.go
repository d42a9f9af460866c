package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"btda/input"
)

// configurationFile is read from the working folder, if it is there and --config names no other.
const configurationFile = "btda.yaml"

// maxConfiguration bounds what is read of a configuration file, in bytes.
const maxConfiguration = 1 << 20

// configured is what a configuration file says of one setting.
type configured struct {
	values []string // several for a list
	origin string   // file and line
}

// addConfig gives the command the flag that names a configuration file.
func addConfig(c *cobra.Command) {
	usage := "`file` with settings, in YAML: their names as keys (default " + configurationFile + " in the working folder, if it is there; BTDA_CONFIG)"
	c.Flags().String("config", "", usage)
}

// readConfiguration reads the settings of a configuration file, by name. With an empty path it reads configurationFile, which need not be there.
func readConfiguration(path string) (map[string]configured, error) {
	chosen := path != ""
	if !chosen {
		path = configurationFile
	}
	text, err := input.ReadFile(path, maxConfiguration)
	switch {
	case !chosen && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	settings, err := parseConfiguration(path, text)
	if err != nil {
		return nil, usageError{err}
	}
	return settings, nil
}

// parseConfiguration reads one YAML mapping of names to values: scalars, or lists of scalars.
func parseConfiguration(path string, text []byte) (map[string]configured, error) {
	var document, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !errors.Is(decoder.Decode(&more), io.EOF) {
		return nil, fmt.Errorf("%s: want one document", path)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want a line for each setting, such as %q", path, root.Line, "port: 6884")
	}
	settings := make(map[string]configured)
	for i := 0; i+1 < len(root.Content); i += 2 {
		key := root.Content[i]
		values, err := scalars(root.Content[i+1])
		origin := fmt.Sprintf("%s:%d: %s", path, key.Line, key.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", origin, err)
		}
		if _, twice := settings[key.Value]; twice {
			return nil, fmt.Errorf("%s: is there twice", origin)
		}
		settings[key.Value] = configured{values, origin}
	}
	return settings, nil
}

// scalars gives the texts of a scalar, or of a list of scalars.
func scalars(node *yaml.Node) ([]string, error) {
	nodes := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	var texts []string
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return nil, errors.New("want a value, or a list of values")
		}
		texts = append(texts, n.Value)
	}
	return texts, nil
}
