/** Without a compiler: Java runs a source file by itself. */
export const javaSeen = `
import java.net.InetAddress;
public class Seen {
  public static void main(String[] args) throws Exception {
    InetAddress own = InetAddress.getLocalHost();
    System.out.println("host " + own.getHostName() + " " + own.getHostAddress());
    System.out.println("heap " + Runtime.getRuntime().maxMemory());
  }
}`
