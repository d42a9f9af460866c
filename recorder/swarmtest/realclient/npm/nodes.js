/*
 * Runs nodes of the DHT on loopback and prints a line of JSON for each that is there, and for every peer that is announced to one.
 *
 * The one argument is a JSON object with what is wanted, see nodes.go. The program runs until its standard input ends.
 */
import { once } from 'node:events'
import DHT from 'bittorrent-dht'

const wanted = JSON.parse(process.argv[2])

function say (what) {
  console.log(JSON.stringify(what))
}

process.stdin.resume().on('end', () => process.exit(0))

let first
for (const [i, host] of wanted.hosts.entries()) {
  const id = Buffer.from(wanted.near, 'hex')
  id[id.length - 1] ^= i + 1
  const node = new DHT({ nodeId: id, bootstrap: first ? [first] : false })
  node.on('warning', warning => console.error(host, warning.message))
  node.on('announce', (peer, hash) => say({ peer: `${peer.host}:${peer.port}`, hash: hash.toString('hex') }))
  node.listen(0, host)
  await Promise.all([once(node, 'listening'), once(node, 'ready')])
  const at = `${host}:${node.address().port}`
  first ??= at
  say({ node: at })
}
