import { BlockList, isIP } from 'node:net';

/** Addresses that are not of the public internet: this machine, its networks, and what stands for them in IPv6. */
const ranges: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
];

const closed = new BlockList();
for (const [network, bits] of ranges) closed.addSubnet(network, bits, isIP(network) === 6 ? 'ipv6' : 'ipv4');

/**
 * Whether an address belongs to this machine or to a network that is not public. Of IPv4 addresses written as IPv6 too.
 * @param address an IP address; anything else counts as not public
 */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  return version === 0 || closed.check(address, version === 6 ? 'ipv6' : 'ipv4');
}
