"""`daoyi wechat menu` sends the menu, `daoyi wechat simulate` plays WeChat in the terminal for this installation."""

import argparse
import asyncio
import logging
import sys


def add_command(commands) -> None:
    """Put `wechat` among the commands of `daoyi`."""
    wechat = commands.add_parser(
        "wechat", help="the Official Account: send its menu, or play WeChat without an account"
    )
    deeds = wechat.add_subparsers(dest="deed", required=True)
    deeds.add_parser("menu", help="make the account's menu from DAOYI_WECHAT_FILE")
    deeds.add_parser("simulate", help="talk to this installation as a follower would, no account needed")


def run(given: argparse.Namespace) -> int:
    """Run `daoyi wechat`; gives the exit code."""
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    from bot.storage.migrate import migrate

    migrate()  # the access token is kept in the database
    if given.deed == "menu":
        asyncio.run(_send_menu())
        print("公众号菜单已更新；手机上最多 5 分钟后可以看到，取消关注再关注可以马上看到。")
        return 0
    from channels.wechat.simulate import simulate

    return asyncio.run(simulate(sys.stdin, sys.stdout))


async def _send_menu() -> None:
    from channels.wechat.account import account
    from channels.wechat.client import Client

    made = account()
    client = Client(made)
    try:
        await client.call("/cgi-bin/menu/create", {"button": made.menu.buttons})
    finally:
        await client.close()
